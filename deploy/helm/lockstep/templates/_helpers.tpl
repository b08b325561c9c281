{{- define "lockstep.labels" -}}
app.kubernetes.io/name: lockstep
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "lockstep.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Labels that select the pods of one component. Arguments: root, component. */}}
{{- define "lockstep.selector" -}}
app.kubernetes.io/name: lockstep
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/*
The volume root is given to the group once. The key folder is a folder below it, readable for its user only: Lockstep
refuses keys that others can read.
*/}}
{{- define "lockstep.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "lockstep.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Where api and workers find the database. */}}
{{- define "lockstep.databaseUrlEnv" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.secretName }}
      key: url
- name: DATABASE_DIRECT_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.secretName }}
      key: directUrl
      optional: true
- name: LOCKSTEP_POLICY_DIR
  value: /etc/lockstep/policies
{{- end }}

{{/* Variables of api and worker. */}}
{{- define "lockstep.databaseEnv" -}}
{{ include "lockstep.databaseUrlEnv" . }}
- name: LOCKSTEP_FINGERPRINT_KEY_FILE
  value: /run/lockstep/fingerprint.key
{{- end }}

{{/* Variables of the processes that open stored credentials. */}}
{{- define "lockstep.masterKeyEnv" -}}
- name: LOCKSTEP_KEY_DIR
  value: /var/lib/lockstep/worker/keys
{{- with .Values.keyServer }}
{{- if .url }}
- name: LOCKSTEP_TRANSIT_URL
  value: {{ .url | quote }}
- name: LOCKSTEP_TRANSIT_KEY
  value: {{ .keyName | quote }}
- name: LOCKSTEP_TRANSIT_TOKEN_FILE
  value: /etc/lockstep/key-server/token
{{- if .caFile }}
- name: LOCKSTEP_TRANSIT_CA_FILE
  value: {{ .caFile | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* How workers reach Temporal. */}}
{{- define "lockstep.temporalEnv" -}}
- name: TEMPORAL_ADDRESS
  value: {{ .Values.temporal.address | quote }}
- name: TEMPORAL_NAMESPACE
  value: {{ .Values.temporal.namespace | quote }}
{{- if .Values.temporal.tls }}
- name: TEMPORAL_TLS
  value: "true"
{{- end }}
{{- if .Values.temporal.tlsSecretName }}
- name: TEMPORAL_TLS_SERVER_CA_CERT_PATH
  value: /etc/lockstep/temporal/ca.crt
- name: TEMPORAL_TLS_CLIENT_CERT_PATH
  value: /etc/lockstep/temporal/tls.crt
- name: TEMPORAL_TLS_CLIENT_KEY_PATH
  value: /etc/lockstep/temporal/tls.key
{{- end }}
{{- if .Values.temporal.apiKeySecretName }}
- name: TEMPORAL_API_KEY_FILE
  value: /etc/lockstep/temporal-key/api-key
{{- end }}
{{- end }}

{{- define "lockstep.temporalMounts" -}}
{{- if .Values.temporal.tlsSecretName }}
- { name: temporal, mountPath: /etc/lockstep/temporal, readOnly: true }
{{- end }}
{{- if .Values.temporal.apiKeySecretName }}
- { name: temporal-key, mountPath: /etc/lockstep/temporal-key, readOnly: true }
{{- end }}
{{- end }}

{{- define "lockstep.temporalVolumes" -}}
{{- if .Values.temporal.tlsSecretName }}
- name: temporal
  secret:
    secretName: {{ .Values.temporal.tlsSecretName }}
    defaultMode: 0440
{{- end }}
{{- if .Values.temporal.apiKeySecretName }}
- name: temporal-key
  secret:
    secretName: {{ .Values.temporal.apiKeySecretName }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{/* Variables of every process. Arguments: root, component. */}}
{{- define "lockstep.commonEnv" -}}
{{- with .root -}}
- name: LOCKSTEP_OPS_HOST
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- if .Values.authorities.configMapName }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/lockstep/ca/ca.crt
{{- end }}
{{- end }}
{{- $own := (index .root.Values .component).environment }}
{{- $level := dict "LOCKSTEP_LOG_LEVEL" .root.Values.logLevel }}
{{- range $name, $value := merge (dict) $own .root.Values.environment $level }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* A Secret volume is readable for a group; the copy in memory is readable for its user only. */}}
{{- define "lockstep.placeFingerprintKey" -}}
- name: fingerprint-key
  image: {{ include "lockstep.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    - deploy/place-file.mjs
    - /etc/lockstep/fingerprint/fingerprint.key
    - /run/lockstep/fingerprint.key
    - "0600"
  securityContext:
    {{- include "lockstep.containerSecurity" . | nindent 4 }}
  resources:
    requests: { cpu: 10m, memory: 64Mi }
    limits: { memory: 128Mi }
  volumeMounts:
    - { name: fingerprint, mountPath: /etc/lockstep/fingerprint, readOnly: true }
    - { name: run, mountPath: /run/lockstep }
{{- end }}

{{/* Arguments: root, component. */}}
{{- define "lockstep.commonMounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .root.Values.authorities.configMapName }}
- { name: authorities, mountPath: /etc/lockstep/ca, readOnly: true }
{{- end }}
{{- with (index .root.Values .component).extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Arguments: root, component. */}}
{{- define "lockstep.commonVolumes" -}}
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
{{- if .root.Values.authorities.configMapName }}
- name: authorities
  configMap:
    name: {{ .root.Values.authorities.configMapName }}
{{- end }}
{{- with (index .root.Values .component).extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What api and worker mount, and the lookup service does not. */}}
{{- define "lockstep.intakeMounts" -}}
- { name: run, mountPath: /run/lockstep }
{{- if .Values.policies.configMapName }}
- { name: policies, mountPath: /etc/lockstep/policies, readOnly: true }
{{- end }}
{{- end }}

{{- define "lockstep.intakeVolumes" -}}
- name: run
  emptyDir: { medium: Memory, sizeLimit: 1Mi }
- name: fingerprint
  secret:
    secretName: {{ .Values.keys.fingerprintSecretName }}
    defaultMode: 0440
{{- if .Values.policies.configMapName }}
- name: policies
  configMap:
    name: {{ .Values.policies.configMapName }}
{{- end }}
{{- end }}

{{- define "lockstep.keyServerMount" -}}
{{- if .Values.keyServer.url }}
- { name: key-server, mountPath: /etc/lockstep/key-server, readOnly: true }
{{- end }}
{{- end }}

{{- define "lockstep.keyServerVolume" -}}
{{- if .Values.keyServer.url }}
- name: key-server
  secret:
    secretName: {{ .Values.keyServer.tokenSecretName }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{/* Placement of a component on different nodes. Arguments: root, component. */}}
{{- define "lockstep.placement" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "lockstep.selector" . | nindent 8 }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Probes of a process by its health port. */}}
{{- define "lockstep.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: ops }
  periodSeconds: 10
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /readyz, port: ops }
  periodSeconds: 5
  failureThreshold: 2
{{- end }}
