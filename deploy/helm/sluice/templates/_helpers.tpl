{{- define "sluice.env" -}}
- { name: SLUICE_DATA_DIR, value: /data }
- { name: SLUICE_REDIS_URL, value: {{ .Values.redis.url | quote }} }
- { name: SLUICE_REDIS_IS_CLUSTER, value: {{ .Values.redis.isCluster | quote }} }
- { name: SLUICE_REDIS_KEY_PREFIX, value: {{ .Values.redis.keyPrefix | quote }} }
{{- with .Values.redis.username }}
- { name: SLUICE_REDIS_USERNAME, value: {{ . | quote }} }
{{- end }}
{{- if .Values.redis.passwordSecret }}
- { name: SLUICE_REDIS_PASSWORD_FILE, value: /redis/password/password }
{{- end }}
{{- if .Values.redis.caSecret }}
- { name: SLUICE_REDIS_CA_FILE, value: /redis/ca/ca.crt }
{{- end }}
{{- range $name, $value := .Values.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}
{{- define "sluice.mounts" -}}
- { name: data, mountPath: /data }
- { name: tmp, mountPath: /tmp }
{{- if .Values.redis.passwordSecret }}
- { name: redis-password, mountPath: /redis/password, readOnly: true }
{{- end }}
{{- if .Values.redis.caSecret }}
- { name: redis-ca, mountPath: /redis/ca, readOnly: true }
{{- end }}
{{- end }}
{{- define "sluice.volumes" -}}
- { name: data, emptyDir: {} }
- { name: tmp, emptyDir: {} }
{{- if .Values.redis.passwordSecret }}
- { name: redis-password, secret: { secretName: {{ .Values.redis.passwordSecret | quote }} } }
{{- end }}
{{- if .Values.redis.caSecret }}
- { name: redis-ca, secret: { secretName: {{ .Values.redis.caSecret | quote }} } }
{{- end }}
{{- end }}
{{- define "sluice.probes" -}}
# A worker answers once its model is loaded, which may have to be fetched first.
startupProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 5, failureThreshold: 240 }
livenessProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }
readinessProbe: { httpGet: { path: /readyz, port: http }, periodSeconds: 2, timeoutSeconds: 2 }
{{- end }}
{{- define "sluice.pod" -}}
automountServiceAccountToken: false
securityContext: { fsGroup: 10001, seccompProfile: { type: RuntimeDefault } }
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - { name: {{ . | quote }} }
  {{- end }}
{{- end }}
{{- end }}
{{- define "sluice.container" -}}
image: {{ .Values.image | quote }}
imagePullPolicy: {{ .Values.imagePullPolicy }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  readOnlyRootFilesystem: true
  allowPrivilegeEscalation: false
  capabilities: { drop: [ALL] }
{{- end }}
