{{/* Kubernetes appends 11 characters to the name in a label of at most 63. */}}
{{- define "pailou.name" -}}
{{- if contains "pailou" .Release.Name -}}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{- else -}}{{ printf "%s-pailou" .Release.Name | trunc 52 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "pailou.selector" -}}
app.kubernetes.io/name: pailou
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "pailou.labels" -}}
{{ include "pailou.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "pailou.image" -}}
{{- with .Values.image.hub }}{{ trimSuffix "/" . }}/{{ end }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "pailou.configMap" -}}
{{- if .Values.config.documents }}{{ include "pailou.name" . }}-config{{ else }}{{ .Values.config.existingConfigMap }}{{ end -}}
{{- end -}}

{{- define "pailou.check" -}}
{{- if not .Values.existingSecret }}
{{- fail "existingSecret: name a Secret with PAILOU_MASTER_KEY, PAILOU_DATABASE_URL and, with several replicas, PAILOU_REDIS_URL (docs/deployment.md)" }}
{{- end }}
{{- if and .Values.config.documents .Values.config.existingConfigMap }}
{{- fail "config: set documents or existingConfigMap, not both" }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- fail "autoscaling: minReplicas is greater than maxReplicas" }}
{{- end }}
{{- if and (or .Values.autoscaling.enabled (gt (int .Values.replicas) 1)) (hasPrefix "sqlite:" (toString .Values.settings.PAILOU_DATABASE_URL)) }}
{{- fail "settings.PAILOU_DATABASE_URL: SQLite is for one replica; several need PostgreSQL" }}
{{- end }}
{{- end -}}
