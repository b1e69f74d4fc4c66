{{- define "sluice.redis" -}}
- { name: SLUICE_REDIS_URL, value: {{ .Values.redis.url | quote }} }
- { name: SLUICE_REDIS_KEY_PREFIX, value: {{ .Values.redis.keyPrefix | quote }} }
{{- if .Values.redis.username }}
- { name: SLUICE_REDIS_USERNAME, value: {{ .Values.redis.username | quote }} }
{{- end }}
{{- if .Values.redis.passwordSecret }}
- { name: SLUICE_REDIS_PASSWORD_FILE, value: /redis/password }
{{- end }}
{{- end }}
{{- define "sluice.mounts" -}}
- { name: data, mountPath: /data }
{{- if .Values.redis.passwordSecret }}
- { name: redis, mountPath: /redis, readOnly: true }
{{- end }}
{{- end }}
{{- define "sluice.volumes" -}}
- { name: data, emptyDir: {} }
{{- if .Values.redis.passwordSecret }}
- { name: redis, secret: { secretName: {{ .Values.redis.passwordSecret | quote }} } }
{{- end }}
{{- end }}
{{- define "sluice.probes" -}}
startupProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 5, failureThreshold: 240 }
livenessProbe: { httpGet: { path: /healthz, port: http }, periodSeconds: 10, failureThreshold: 3 }
readinessProbe: { httpGet: { path: /readyz, port: http }, periodSeconds: 2 }
{{- end }}
{{- define "sluice.security" -}}
runAsNonRoot: true
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
{{- end }}
