/** Why a worker cannot use the engine (Temporal), and what the operator does about it. */
export const engineProblems = {
  unreachable:
    'Temporal does not answer. Check that it is running, that TEMPORAL_ADDRESS is its address, and that TLS and a client certificate are set if it expects them (TEMPORAL_TLS…).',
  certificate:
    'The certificate of Temporal is not trusted. Check TEMPORAL_TLS_SERVER_CA_CERT_PATH and TEMPORAL_TLS_SERVER_NAME.',
  refused:
    'Temporal refuses the worker. Check its API key (TEMPORAL_API_KEY_FILE) or its client certificate, and its rights in the namespace.',
  no_namespace:
    'Temporal does not have the namespace TEMPORAL_NAMESPACE, and the worker may not create it. Create it: temporal operator namespace create --namespace NAMESPACE --retention 72h.',
  search_attributes:
    'The namespace lacks search attributes, which the worker may not create. Create them: temporal operator search-attribute create --namespace NAMESPACE --name NAME --type TYPE.',
} as const;

export type EngineProblem = keyof typeof engineProblems;
