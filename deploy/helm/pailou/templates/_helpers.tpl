{{- define "pailou.name" -}}
{{- if contains "pailou" .Release.Name -}}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{- else -}}{{ printf "%s-pailou" .Release.Name | trunc 63 | trimSuffix "-" }}{{- end -}}
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
