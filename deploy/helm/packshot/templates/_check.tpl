{{/* Values that fit the schema and do not fit together are refused with what to do. */}}
{{- define "packshot.check" -}}
{{- $v := .Values -}}
{{- if not (or $v.accounts.secretName $v.tls.clientCaSecretName $v.allowAnonymous) -}}
{{- fail "nothing says who may call: set accounts.secretName (API keys), tls.clientCaSecretName (client certificates), or allowAnonymous=true where that is meant" -}}
{{- end -}}
{{- if and $v.tls.clientCaSecretName (not $v.tls.secretName) -}}
{{- fail "tls.clientCaSecretName needs tls.secretName" -}}
{{- end -}}
{{- if $v.web.enabled -}}
{{- if and $v.accounts.secretName (not $v.tls.secretName) (not $v.web.plaintextKey) -}}
{{- fail "the HTTP face would send callers' API keys to the gateway in the clear: set tls.secretName, or web.plaintextKey=true on a network that encrypts by itself, or web.enabled=false" -}}
{{- end -}}
{{- if and $v.tls.clientCaSecretName (not $v.web.clientCertSecretName) -}}
{{- fail "the gateway would refuse the HTTP face: set web.clientCertSecretName, or web.enabled=false" -}}
{{- end -}}
{{- if and $v.web.clientCertSecretName (not $v.tls.secretName) -}}
{{- fail "web.clientCertSecretName needs tls.secretName" -}}
{{- end -}}
{{- if not (or $v.accounts.secretName $v.allowAnonymous) -}}
{{- fail "the gateway asks the HTTP face for a certificate, and nothing says who may call the face: set accounts.secretName, allowAnonymous=true, or web.enabled=false" -}}
{{- end -}}
{{- if and $v.web.ingress.enabled (not $v.web.ingress.host) -}}
{{- fail "web.ingress.enabled needs web.ingress.host" -}}
{{- end -}}
{{- end -}}
{{- if and $v.gateway.grpcRoute.enabled (not $v.gateway.grpcRoute.parentRefs) -}}
{{- fail "gateway.grpcRoute.enabled needs gateway.grpcRoute.parentRefs" -}}
{{- end -}}
{{- range $name := list "gateway" "triton" -}}
{{- $part := index $v $name -}}
{{- if $part.autoscaling.enabled -}}
{{- if not (and $v.monitoring.enabled $v.monitoring.prometheusUrl) -}}
{{- fail (printf "%s.autoscaling.enabled needs monitoring.enabled and monitoring.prometheusUrl" $name) -}}
{{- end -}}
{{- if lt (int $part.autoscaling.maxReplicas) (int $part.autoscaling.minReplicas) -}}
{{- fail (printf "%s.autoscaling.maxReplicas is %d, less than minReplicas, %d" $name (int $part.autoscaling.maxReplicas) (int $part.autoscaling.minReplicas)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name := list "gateway" "web" "triton" -}}
{{- $rollout := (index $v $name).rollout -}}
{{- if not (or (int $rollout.maxSurge) (int $rollout.maxUnavailable)) -}}
{{- fail (printf "%s.rollout: maxSurge and maxUnavailable are both 0, so no new pod could ever come" $name) -}}
{{- end -}}
{{- end -}}
{{- include "packshot.checkModels" (dict "name" "triton.models" "models" $v.triton.models) -}}
{{- if $v.triton.canary.enabled -}}
{{- include "packshot.checkModels" (dict "name" "triton.canary.models" "models" $v.triton.canary.models) -}}
{{- end -}}
{{- if and $v.triton.load (not (has (include "packshot.defaultModel" .) $v.triton.load)) -}}
{{- fail (printf "triton.load leaves out the default model, %s" (include "packshot.defaultModel" .)) -}}
{{- end -}}
{{- end -}}

{{- define "packshot.checkModels" -}}
{{- if and (eq .models.source "pvc") (not .models.claimName) -}}
{{- fail (printf "%s.source is pvc: set claimName" .name) -}}
{{- end -}}
{{- if and (eq .models.source "oci") (not .models.reference) -}}
{{- fail (printf "%s.source is oci: set reference" .name) -}}
{{- end -}}
{{- end -}}
