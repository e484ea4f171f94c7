{{/* dormouse.yaml of both hosts, as YAML: what follows from the values, and values.config over it. */}}
{{- define "dormouse.config" -}}
{{- $values := .Values }}
{{- $fullname := include "dormouse.fullname" . }}
{{- $namespace := .Release.Namespace }}
{{- $selector := list }}
{{- range $key, $value := include "dormouse.selectorLabels" (dict "root" . "component" "dlx") | fromYaml }}
{{- $selector = append $selector (printf "%s=%s" $key $value) }}
{{- end }}

{{- $admin := dict "listen" "0.0.0.0:8081" "token" (dict "file" "/etc/dormouse-token/token") "openMetrics" true }}
{{- if $values.admin.tls.existingSecret }}
{{- $tls := dict }}
{{- range $key, $file := dict "cert" "tls.crt" "key" "tls.key" "ca" "ca.crt" }}
{{- $_ := set $tls $key (dict "file" (printf "/etc/dormouse-tls/%s" $file)) }}
{{- end }}
{{- $_ := set $admin "tls" $tls }}
{{- end }}

{{- $peers := dict "selector" (join "," $selector) "namespace" $namespace "adminPort" 8081 }}
{{- if $values.admin.tls.existingSecret }}
{{- $_ := set $peers "scheme" "https" }}
{{- end }}

{{- $options := dict
      "dlx" (dict "service" (printf "%s-dlx" $fullname) "namespace" $namespace "ports" (pick $values.kubernetes.ports "from" "to"))
      "state" (dict "configMap" (printf "%s-state" $fullname) "namespace" $namespace)
      "keep" false }}
{{- with $values.namespaces }}
{{- $_ := set $options "namespaces" . }}
{{- end }}
{{- $options = mergeOverwrite $options (deepCopy $values.kubernetes.options) }}
{{- $scalers := concat (list (dict "use" "k8s-deployment" "id" "k8s" "options" $options)) $values.scalers }}

{{- $sources := list (dict "use" "dlx") }}
{{- with $values.metrics.customMetrics }}
{{- if .enabled }}
{{- $custom := dict "scaler" "k8s" }}
{{- with $values.namespaces }}
{{- $_ := set $custom "namespaces" . }}
{{- end }}
{{- $sources = append $sources (dict "use" "kubernetes" "id" "custom-metrics" "options" (mergeOverwrite $custom (deepCopy .options))) }}
{{- end }}
{{- end }}
{{- with $values.metrics.resourceMetrics }}
{{- if .enabled }}
{{- $resource := dict "api" "resource" "scaler" "k8s" }}
{{- with $values.namespaces }}
{{- $_ := set $resource "namespaces" . }}
{{- end }}
{{- $sources = append $sources (dict "use" "kubernetes" "id" "resource-metrics" "options" (mergeOverwrite $resource (deepCopy .options))) }}
{{- end }}
{{- end }}
{{- with $values.metrics.prometheus }}
{{- if .enabled }}
{{- $sources = append $sources (dict "use" "prometheus" "options" .options) }}
{{- end }}
{{- end }}

{{- $dlx := dict "listen" "0.0.0.0:8080" "stopGrace" $values.dlx.stopGrace "drainTimeout" $values.dlx.drainTimeout }}
{{- if or $values.routes.ingress $values.routes.gateway }}
{{- $routes := dict "scaler" "k8s" "ingress" $values.routes.ingress "gateway" $values.routes.gateway }}
{{- with $values.namespaces }}
{{- $_ := set $routes "namespaces" . }}
{{- end }}
{{- $_ := set $dlx "routes" (list (dict "use" "kubernetes" "options" $routes)) }}
{{- end }}

{{- $config := dict
      "admin" $admin
      "scalers" $scalers
      "cluster" (dict
        "peers" (dict "use" "kubernetes" "options" $peers)
        "leader" (dict "use" "kubernetes" "options" (dict "name" (printf "%s-autoscaler" $fullname) "namespace" $namespace)))
      "dlx" $dlx
      "autoscaler" (dict
        "every" $values.autoscaler.every
        "quietPeriod" $values.autoscaler.quietPeriod
        "metrics" (concat $sources $values.metrics.sources)) }}
{{- if $values.plugins }}
{{- $_ := set $config "pluginDir" "/plugins" }}
{{- end }}
{{- with $values.defaults }}
{{- $_ := set $config "defaults" . }}
{{- end }}
{{- mergeOverwrite $config (deepCopy $values.config) | toYaml }}
{{- end }}

{{/* A duration as dormouse.yaml writes it, in seconds. */}}
{{- define "dormouse.seconds" -}}
{{- $text := toString . }}
{{- $number := regexFind "^[0-9]+(\\.[0-9]+)?" $text | float64 }}
{{- $unit := regexFind "[a-z]+$" $text }}
{{- $factor := get (dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0 "" 1.0) $unit }}
{{- mulf $number $factor | ceil | int64 }}
{{- end }}

{{/* How long a DLX may take to end, in seconds: never less than its own configuration lets it. */}}
{{- define "dormouse.dlxGraceSeconds" -}}
{{- $dlx := (include "dormouse.config" . | fromYaml).dlx }}
{{- $least := add (include "dormouse.seconds" $dlx.stopGrace) (include "dormouse.seconds" $dlx.drainTimeout) }}
{{- $given := .Values.dlx.terminationGracePeriodSeconds }}
{{- if kindIs "invalid" $given }}
{{- add $least 15 }}
{{- else if le (int64 $given) $least }}
{{- fail (printf "dlx.terminationGracePeriodSeconds: %d is no more than stopGrace and drainTimeout together (%d s), so that held requests would be lost; leave it empty or give more" (int64 $given) $least) }}
{{- else }}
{{- int64 $given }}
{{- end }}
{{- end }}
