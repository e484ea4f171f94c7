{{- define "dormouse.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Version of the server that the objects are for. */}}
{{- define "dormouse.kubeVersion" -}}
{{- default .Capabilities.KubeVersion.Version .Values.kubeVersion }}
{{- end }}

{{/* 40 characters at most, so that every name made from it has its 63. */}}
{{- define "dormouse.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := include "dormouse.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* What selects pods of one component: { root, component }. */}}
{{- define "dormouse.selectorLabels" -}}
app.kubernetes.io/name: {{ include "dormouse.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* Labels of every object: { root, component }, the component where it has one. */}}
{{- define "dormouse.labels" -}}
{{ include "dormouse.selectorLabels" . }}
app.kubernetes.io/part-of: dormouse
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Annotations of an object: { root, own }, as lines below its metadata or nothing. */}}
{{- define "dormouse.annotations" }}
{{- with merge (dict) (default (dict) .own) .root.Values.commonAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "dormouse.image" -}}
{{- $image := .Values.image }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "dormouse.tokenSecret" -}}
{{- default (printf "%s-token" (include "dormouse.fullname" .)) .Values.admin.existingSecret }}
{{- end }}

{{- define "dormouse.adminScheme" -}}
{{- ternary "HTTPS" "HTTP" (not (empty .Values.admin.tls.existingSecret)) }}
{{- end }}
