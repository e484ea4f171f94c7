{{/*
Every right that Dormouse uses. Rules of a component come twice: for the workloads that it scales (in all namespaces, or in each
of values.namespaces), and for the objects of its own namespace.
*/}}
{{- define "dormouse.rules.dlx.scaled" -}}
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [get, list, watch, patch]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [list]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, patch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch, update]
- apiGroups: [""]
  resources: [events]
  verbs: [list, create]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [list, watch]
{{- if .Values.routes.ingress }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch]
{{- end }}
{{- if .Values.routes.gateway }}
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [list, watch]
{{- end }}
{{- end }}

{{/* What both hosts need in Dormouse's own namespace, which need not be one that is scaled. */}}
{{- define "dormouse.rules.both.own" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{{- end }}

{{- define "dormouse.rules.dlx.own" -}}
{{ include "dormouse.rules.both.own" . }}
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ include "dormouse.fullname" . }}-state]
  verbs: [list, watch]
{{- end }}

{{- define "dormouse.rules.autoscaler.scaled" -}}
{{ include "dormouse.rules.dlx.scaled" . }}
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [create, delete]
{{- if .Values.metrics.customMetrics.enabled }}
- apiGroups: [custom.metrics.k8s.io]
  resources: ["*"]
  verbs: [get, list]
{{- end }}
{{- if .Values.metrics.resourceMetrics.enabled }}
- apiGroups: [metrics.k8s.io]
  resources: [pods]
  verbs: [list]
{{- end }}
{{- end }}

{{- define "dormouse.rules.autoscaler.own" -}}
{{ include "dormouse.rules.both.own" . }}
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ include "dormouse.fullname" . }}-state]
  verbs: [get, list, watch, patch]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "dormouse.fullname" . }}-autoscaler]
  verbs: [get, update]
# No name can be asked for where there is no object yet. It matters only once somebody has deleted the Lease.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
{{- end }}

{{- define "dormouse.rules.release.scaled" -}}
{{ include "dormouse.rules.autoscaler.scaled" . }}
{{- end }}

{{- define "dormouse.rules.release.own" -}}
{{ include "dormouse.rules.autoscaler.own" . }}
{{- end }}

{{/* Roles and bindings of one component: { root, component, annotations }. */}}
{{- define "dormouse.rbac" -}}
{{- $root := .root }}
{{- $fullname := include "dormouse.fullname" $root }}
{{- $account := printf "%s-%s" $fullname .component }}
{{- $metadata := dict "root" $root "component" .component }}
{{- $annotations := dict "root" $root "own" .annotations }}
{{- $scaled := include (printf "dormouse.rules.%s.scaled" .component) $root }}
{{- $own := include (printf "dormouse.rules.%s.own" .component) $root }}
{{- $scopes := list (dict "namespace" $root.Release.Namespace "name" $account "rules" $own) }}
{{- $wide := printf "%s-%s" $root.Release.Namespace $account }}
{{- if $root.Values.namespaces }}
{{- range $root.Values.namespaces | uniq }}
{{- $scopes = append $scopes (dict "namespace" . "name" $wide "rules" $scaled) }}
{{- end }}
{{- else }}
{{- $scopes = append $scopes (dict "namespace" "" "name" $wide "rules" $scaled) }}
{{- end }}
{{- range $scopes }}
{{- $kind := ternary "Role" "ClusterRole" (not (empty .namespace)) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "dormouse.labels" $metadata | nindent 4 }}
  {{- include "dormouse.annotations" $annotations }}
rules: {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "dormouse.labels" $metadata | nindent 4 }}
  {{- include "dormouse.annotations" $annotations }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
subjects:
  - { kind: ServiceAccount, name: {{ $account }}, namespace: {{ $root.Release.Namespace }} }
{{- end }}
{{- end }}
