{{/* Names, labels and images. */}}

{{- define "packshot.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "packshot.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains (include "packshot.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "packshot.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "packshot.selector" -}}
app.kubernetes.io/name: {{ include "packshot.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of an object: of a component, or of the whole. */}}
{{- define "packshot.labels" -}}
app.kubernetes.io/name: {{ include "packshot.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: packshot
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* An image's reference. */}}
{{- define "packshot.image" -}}
{{- $image := .image -}}
{{- $name := $image.repository -}}
{{- with .root.Values.image.registry -}}{{- $name = printf "%s/%s" (trimSuffix "/" .) $name -}}{{- end -}}
{{- if and $image.digest (not .tag) -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (coalesce .tag $image.tag .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "packshot.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "packshot.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "packshot.defaultModel" -}}
{{- default (ternary "matte-fp16" "matte-int8" (eq .Values.triton.device "gpu")) .Values.defaultModel -}}
{{- end -}}

{{/* The gateway's name as the certificate has it. */}}
{{- define "packshot.gatewayHost" -}}
{{- printf "%s-gateway.%s.svc" (include "packshot.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "packshot.tritonHost" -}}
{{- printf "%s-triton.%s.svc" (include "packshot.fullname" .) .Release.Namespace -}}
{{- end -}}
