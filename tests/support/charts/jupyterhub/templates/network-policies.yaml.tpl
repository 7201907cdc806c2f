{{- /*
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- define "private" -}}
["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
{{- end }}

{{- /* What a part may reach by its values: (list . NETWORK_POLICY) */ -}}
{{- define "egress" -}}
{{- $metadata := printf "%s/32" (index . 0).Values.singleuser.cloudMetadata.ip }}
{{- $private := include "private" . | fromJsonArray }}
{{- with (index . 1).egressAllowRules }}
{{- $names := list }}
{{- if .dnsPortsPrivateIPs }}{{ $names = $private }}{{ end }}
{{- if .dnsPortsCloudMetadataServer }}{{ $names = append $names $metadata }}{{ end }}
{{- if or $names .dnsPortsKubeSystemNamespace }}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
  to:
    {{- range $names }}
    - ipBlock: {cidr: {{ . }}}
    {{- end }}
    {{- if .dnsPortsKubeSystemNamespace }}
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
    {{- end }}
{{- end }}
{{- if .nonPrivateIPs }}
- to: [{ipBlock: {cidr: 0.0.0.0/0, except: {{ append $private $metadata | toJson }}}}]
{{- end }}
{{- if .privateIPs }}
- to: [{{ range $private }}{ipBlock: {cidr: {{ . }}}}, {{ end }}]
{{- end }}
{{- if .cloudMetadataServer }}
- to: [{ipBlock: {cidr: {{ $metadata }}}}]
{{- end }}
{{- end }}
{{- with (index . 1).egress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* From pods with a label to ports: (list LABEL PORT...) */ -}}
{{- define "from" -}}
- from: [{podSelector: {matchLabels: {hub.jupyter.org/network-access-{{ first . }}: "true"}}}]
  ports: [{{ range rest . }}{port: {{ . }}, protocol: TCP}, {{ end }}]
{{- end }}

{{- /* To pods of a part, on ports: (list . PART PORT...) */ -}}
{{- define "to" -}}
- to: [{podSelector: {matchLabels: {app: jupyterhub, component: {{ index . 1 }}, release: {{ (index . 0).Release.Name }}}}}]
  ports: [{{ range slice . 2 }}{port: {{ . }}, protocol: TCP}, {{ end }}]
{{- end }}

{{- /* The beginning of a policy: (list . NAME PART) */ -}}
{{- define "policy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ index . 1 }}
  labels: {{ include "managed" (list (index . 0) (index . 1)) | nindent 4 }}
spec:
  policyTypes: [Ingress, Egress]
  podSelector:
    matchLabels: {app: jupyterhub, component: {{ index . 2 }}, release: {{ (index . 0).Release.Name }}}
{{- end }}

{{- with .Values.hub.networkPolicy }}
{{- if .enabled }}
{{ include "policy" (list $ "hub" "hub") }}
  ingress:
    {{- include "from" (list "hub" 8081) | nindent 4 }}
    {{- with .ingress }}{{ toYaml . | nindent 4 }}{{ end }}
  egress:
    {{- include "to" (list $ "proxy" 8001) | nindent 4 }}
    {{- include "to" (list $ "singleuser-server" 8888) | nindent 4 }}
    {{- include "egress" (list $ .) | indent 4 }}
---
{{- end }}
{{- end }}
{{- with .Values.proxy.chp.networkPolicy }}
{{- if .enabled }}
{{ include "policy" (list $ "proxy" "proxy") }}
  ingress:
    - ports: [{port: 8000, protocol: TCP}, {port: 8443, protocol: TCP}]
    {{- include "from" (list "proxy-api" 8001) | nindent 4 }}
    {{- with .ingress }}{{ toYaml . | nindent 4 }}{{ end }}
  egress:
    {{- include "to" (list $ "hub" 8081) | nindent 4 }}
    {{- include "to" (list $ "singleuser-server" 8888) | nindent 4 }}
    {{- include "egress" (list $ .) | indent 4 }}
---
{{- end }}
{{- end }}
{{- with .Values.singleuser.networkPolicy }}
{{- if .enabled }}
{{ include "policy" (list $ "singleuser" "singleuser-server") }}
  ingress:
    {{- include "from" (list "singleuser" 8888) | nindent 4 }}
    {{- with .ingress }}{{ toYaml . | nindent 4 }}{{ end }}
  egress:
    {{- include "to" (list $ "hub" 8081) | nindent 4 }}
    {{- include "to" (list $ "proxy" 8000 8443) | nindent 4 }}
    {{- include "egress" (list $ .) | indent 4 }}
{{- end }}
{{- end }}
