{{- /*
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- if .Values.ingress.enabled }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: jupyterhub
  labels: {{ include "managed" (list . "ingress") | nindent 4 }}
  annotations: {{ toJson .Values.ingress.annotations }}
spec:
  {{- with .Values.ingress.ingressClassName }}
  ingressClassName: {{ . }}
  {{- end }}
  tls: {{ toJson .Values.ingress.tls }}
  rules:
    {{- range .Values.ingress.hosts }}
    - host: {{ . }}
      http:
        paths:
          - path: {{ $.Values.hub.baseUrl }}
            pathType: Prefix
            backend:
              service:
                name: proxy-public
                port:
                  name: http
    {{- end }}
---
{{- end }}
{{- if .Values.httpRoute.enabled }}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: jupyterhub
  labels: {{ include "managed" (list . "httproute") | nindent 4 }}
  annotations: {{ toJson .Values.httpRoute.annotations }}
spec:
  hostnames: {{ toJson .Values.httpRoute.hostnames }}
  parentRefs:
    - {{ toJson .Values.httpRoute.gateway }}
  rules:
    - backendRefs:
        - name: proxy-public
          port: 80
{{- end }}
