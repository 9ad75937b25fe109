{{/* What all pods have alike. */}}

{{/* The part of a pod's spec that is not its containers: .root, .component, .values, .graceSeconds */}}
{{- define "packshot.podSpec" -}}
serviceAccountName: {{ include "packshot.serviceAccount" .root | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .graceSeconds }}
securityContext:
  {{- include "packshot.podSecurity" . | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: {{ .values.topologyKey | quote }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "packshot.selector" . | nindent 8 }}
    # A new version is spread by itself, not around what it replaces.
    matchLabelKeys: [pod-template-hash]
{{- end -}}

{{- define "packshot.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
# So that mounted Secrets can be read.
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "packshot.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Of a Deployment: .root, .component, .values, .replicas, .scaled */}}
{{- define "packshot.rollout" -}}
{{- if not .scaled }}
replicas: {{ .replicas }}
{{- end }}
revisionHistoryLimit: 5
# A pod counts once it has been ready for a while.
minReadySeconds: 5
strategy:
  type: RollingUpdate
  rollingUpdate:
    maxSurge: {{ .values.rollout.maxSurge }}
    maxUnavailable: {{ .values.rollout.maxUnavailable }}
{{- end -}}

{{/* Settings as environment: a mapping of names to strings. */}}
{{- define "packshot.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Time before SIGTERM in which the pod leaves Services while it still answers. */}}
{{- define "packshot.preStop" -}}
preStop:
  sleep:
    seconds: {{ . }}
{{- end -}}

{{- define "packshot.resources" -}}
requests:
  cpu: {{ .requests.cpu | quote }}
  memory: {{ .requests.memory | quote }}
limits:
  memory: {{ .limits.memory | quote }}
{{- end -}}

{{- define "packshot.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "packshot.fullname" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "packshot.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .values.disruptionBudget.maxUnavailable }}
  # What is not ready anyway may not hold up the drain of a node.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "packshot.selector" . | nindent 6 }}
{{- end -}}
