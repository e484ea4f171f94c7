{{/*
What the pods of both hosts and of the release Job have in common: { root, component, args, ports, probes, own }, `own` being the
component's part of the values.
*/}}
{{- define "dormouse.podSpec" -}}
{{- $root := .root }}
{{- $values := .root.Values }}
{{- $fullname := include "dormouse.fullname" .root }}
serviceAccountName: {{ $fullname }}-{{ .component }}
# A Service called dormouse would otherwise put variables into the environment that look like settings.
enableServiceLinks: false
{{- with $values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with .own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .own.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ merge (dict) . (dict "labelSelector" (dict "matchLabels" (include "dormouse.selectorLabels" $ | fromYaml))) | toYaml | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- if $values.plugins }}
initContainers:
  - {{ include "dormouse.pluginInstaller" .root | nindent 4 | trim }}
{{- end }}
containers:
  - name: dormouse
    image: {{ include "dormouse.image" .root }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: {{- toYaml (concat .args (default (list) .own.extraArgs)) | nindent 6 }}
    env:
      - name: POD_NAME
        valueFrom: { fieldRef: { fieldPath: metadata.name } }
      {{- with concat $values.extraEnv (default (list) .own.extraEnv) }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with $values.extraEnvFrom }}
    envFrom: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .ports }}
    ports:
      {{- range $name, $port := . }}
      - { name: {{ $name }}, containerPort: {{ $port }} }
      {{- end }}
    {{- end }}
    {{- if .probes }}
    # A start lasts as long as loading plugins does.
    startupProbe:
      httpGet: { path: /healthz, port: admin, scheme: {{ include "dormouse.adminScheme" .root }} }
      periodSeconds: 1
      failureThreshold: 60
    readinessProbe:
      httpGet: { path: /readyz, port: admin, scheme: {{ include "dormouse.adminScheme" .root }} }
      periodSeconds: 2
      timeoutSeconds: 2
      failureThreshold: 2
    livenessProbe:
      httpGet: { path: /healthz, port: admin, scheme: {{ include "dormouse.adminScheme" .root }} }
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    {{- end }}
    resources: {{- toYaml .own.resources | nindent 6 }}
    securityContext: {{- toYaml $values.securityContext | nindent 6 }}
    volumeMounts:
      - { name: config, mountPath: /etc/dormouse, readOnly: true }
      - { name: token, mountPath: /etc/dormouse-token, readOnly: true }
      {{- if $values.admin.tls.existingSecret }}
      - { name: tls, mountPath: /etc/dormouse-tls, readOnly: true }
      {{- end }}
      - { name: tmp, mountPath: /tmp }
      {{- if $values.plugins }}
      - { name: plugins, mountPath: /plugins, readOnly: true }
      {{- end }}
      {{- with $values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: config
    configMap: { name: {{ $fullname }}, defaultMode: 0444 }
  - name: token
    secret: { secretName: {{ include "dormouse.tokenSecret" .root }}, defaultMode: 0440 }
  {{- with $values.admin.tls.existingSecret }}
  - name: tls
    secret: { secretName: {{ . }}, defaultMode: 0440 }
  {{- end }}
  - name: tmp
    emptyDir: { sizeLimit: 64Mi }
  {{- if $values.plugins }}
  - name: plugins
    emptyDir: { sizeLimit: {{ $values.pluginInstaller.sizeLimit }} }
  - name: npm
    emptyDir: { sizeLimit: {{ $values.pluginInstaller.sizeLimit }} }
  {{- with $values.pluginInstaller.npmrcSecret }}
  - name: npmrc
    secret: { secretName: {{ . }}, defaultMode: 0440 }
  {{- end }}
  {{- end }}
  {{- with $values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Installs values.plugins into /plugins, with its cache in a volume of its own. */}}
{{- define "dormouse.pluginInstaller" -}}
{{- $installer := .Values.pluginInstaller -}}
name: install-plugins
image: {{ default (include "dormouse.image" .) $installer.image }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [npm, install, --prefix, /plugins]
args:
  - --no-audit
  - --no-fund
  - --no-save
  - --no-update-notifier
  - --omit=dev
  {{- if not $installer.allowScripts }}
  - --ignore-scripts
  {{- end }}
  - --
  {{- toYaml .Values.plugins | nindent 2 }}
env:
  - { name: HOME, value: /npm }
  - { name: npm_config_cache, value: /npm/cache }
  {{- with $installer.registry }}
  - { name: npm_config_registry, value: {{ . | quote }} }
  {{- end }}
  {{- if $installer.npmrcSecret }}
  - { name: npm_config_userconfig, value: /etc/dormouse-npm/.npmrc }
  {{- end }}
resources: {{- toYaml $installer.resources | nindent 2 }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  - { name: plugins, mountPath: /plugins }
  - { name: npm, mountPath: /npm }
  {{- if $installer.npmrcSecret }}
  - { name: npmrc, mountPath: /etc/dormouse-npm, readOnly: true }
  {{- end }}
{{- end }}
