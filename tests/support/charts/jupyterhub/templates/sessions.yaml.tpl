{{- /*
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- if .Values.singleuser.extraFiles }}
apiVersion: v1
kind: Secret
metadata:
  name: singleuser
  labels: {{ include "managed" (list . "singleuser") | nindent 4 }}
data:
  {{- include "files" .Values.singleuser.extraFiles | indent 2 }}
---
{{- end }}
{{- with .Values.scheduling.podPriority }}
{{- if .enabled }}
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: {{ $.Release.Name }}-default-priority
value: {{ .defaultPriority }}
globalDefault: {{ .globalDefault }}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: {{ $.Release.Name }}-user-placeholder-priority
value: {{ .userPlaceholderPriority }}
---
{{- end }}
{{- end }}
{{- with .Values.scheduling.userPlaceholder }}
{{- if .enabled }}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: user-placeholder
  labels: {{ include "managed" (list $ "user-placeholder") | nindent 4 }}
spec:
  serviceName: user-placeholder
  podManagementPolicy: Parallel
  replicas: {{ .replicas }}
  selector:
    matchLabels: {{ include "labels" (list $ "user-placeholder") | nindent 6 }}
  template:
    metadata:
      labels: {{ include "labels" (list $ "user-placeholder") | nindent 8 }}
    spec:
      terminationGracePeriodSeconds: 0
      automountServiceAccountToken: false
      nodeSelector: {{ toJson $.Values.singleuser.nodeSelector }}
      tolerations: {{ concat $.Values.scheduling.userPods.tolerations $.Values.singleuser.extraTolerations | toJson }}
      {{- if $.Values.scheduling.podPriority.enabled }}
      priorityClassName: {{ $.Release.Name }}-user-placeholder-priority
      {{- end }}
      containers:
        - name: pause
          image: {{ .image.name }}:{{ .image.tag }}
          {{- if .resources }}
          resources: {{ toJson .resources }}
          {{- else }}
          resources:
            requests:
              {{- with $.Values.singleuser.memory.guarantee }}
              memory: {{ . }}
              {{- end }}
              {{- with $.Values.singleuser.cpu.guarantee }}
              cpu: {{ . }}
              {{- end }}
          {{- end }}
{{- end }}
{{- end }}
