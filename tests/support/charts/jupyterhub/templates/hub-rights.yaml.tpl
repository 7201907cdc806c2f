{{- /*
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- define "account" -}}
{{ .Values.hub.serviceAccount.name | default (.Values.hub.serviceAccount.create | ternary "hub" "default") }}
{{- end }}
{{- if .Values.hub.serviceAccount.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "account" . }}
  labels: {{ include "managed" (list . "hub") | nindent 4 }}
  annotations: {{ toJson .Values.hub.serviceAccount.annotations }}
---
{{- end }}
{{- if .Values.rbac.create }}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: hub
  labels: {{ include "managed" (list . "hub") | nindent 4 }}
rules:
  - apiGroups: [""]
    resources: [pods, persistentvolumeclaims, secrets, services]
    verbs: [get, watch, list, create, delete]
  - apiGroups: [""]
    resources: [events]
    verbs: [get, watch, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: hub
  labels: {{ include "managed" (list . "hub") | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: hub
subjects:
  - kind: ServiceAccount
    name: {{ include "account" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
