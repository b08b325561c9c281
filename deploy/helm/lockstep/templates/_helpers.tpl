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

{{/* Variables of every process. */}}
{{- define "lockstep.commonEnv" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.secretName }}
      key: url
- name: LOCKSTEP_OPS_HOST
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
- name: LOCKSTEP_LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
- name: LOCKSTEP_FINGERPRINT_KEY_FILE
  value: /run/lockstep/fingerprint.key
{{- if .Values.authorities.configMapName }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/lockstep/ca/ca.crt
{{- end }}
{{- range $name, $value := .Values.environment }}
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

{{- define "lockstep.commonMounts" -}}
- { name: run, mountPath: /run/lockstep }
- { name: tmp, mountPath: /tmp }
{{- if .Values.policies.configMapName }}
- { name: policies, mountPath: /etc/lockstep/policies, readOnly: true }
{{- end }}
{{- if .Values.authorities.configMapName }}
- { name: authorities, mountPath: /etc/lockstep/ca, readOnly: true }
{{- end }}
{{- end }}

{{- define "lockstep.commonVolumes" -}}
- name: run
  emptyDir: { medium: Memory, sizeLimit: 1Mi }
- name: tmp
  emptyDir: { sizeLimit: 64Mi }
- name: fingerprint
  secret:
    secretName: {{ .Values.keys.fingerprintSecretName }}
    defaultMode: 0440
{{- if .Values.policies.configMapName }}
- name: policies
  configMap:
    name: {{ .Values.policies.configMapName }}
{{- end }}
{{- if .Values.authorities.configMapName }}
- name: authorities
  configMap:
    name: {{ .Values.authorities.configMapName }}
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
