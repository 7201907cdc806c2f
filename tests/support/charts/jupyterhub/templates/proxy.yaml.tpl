{{- /*
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- $proxy := .Values.proxy }}
{{- $https := and $proxy.https.enabled (eq $proxy.https.type "secret") }}
apiVersion: v1
kind: Service
metadata:
  name: proxy-api
  labels: {{ include "managed" (list . "proxy-api") | nindent 4 }}
spec:
  selector: {{ include "labels" (list . "proxy") | nindent 4 }}
  ports:
    - port: 8001
      targetPort: api
---
apiVersion: v1
kind: Service
metadata:
  name: proxy-public
  labels: {{ include "managed" (list . "proxy-public") | nindent 4 }}
  annotations: {{ toJson $proxy.service.annotations }}
spec:
  type: {{ $proxy.service.type }}
  selector: {{ include "labels" (list . "proxy") | nindent 4 }}
  ports:
    - name: http
      port: 80
      targetPort: http
      {{- with $proxy.service.nodePorts.http }}
      nodePort: {{ . }}
      {{- end }}
    {{- if $https }}
    - name: https
      port: 443
      targetPort: https
      {{- with $proxy.service.nodePorts.https }}
      nodePort: {{ . }}
      {{- end }}
    {{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: proxy
  labels: {{ include "managed" (list . "proxy") | nindent 4 }}
spec:
  replicas: 1
  strategy: {{ toJson $proxy.deploymentStrategy }}
  selector:
    matchLabels: {{ include "labels" (list . "proxy") | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "labels" (list . "proxy") | nindent 8 }}
        hub.jupyter.org/network-access-hub: "true"
        hub.jupyter.org/network-access-singleuser: "true"
        {{- range $name, $value := $proxy.labels }}
        {{ $name }}: {{ quote $value }}
        {{- end }}
      annotations:
        # as at the hub, a generated token is another one in the first upgrade
        checksum/token: {{ include "proxy-token" . | sha256sum }}
        {{- range $name, $value := $proxy.annotations }}
        {{ $name }}: {{ quote $value }}
        {{- end }}
    spec:
      {{- include "core-nodes" (list . $proxy.chp.nodeSelector $proxy.chp.tolerations) | nindent 6 }}
      containers:
        - name: chp
          image: {{ $proxy.chp.image.name }}:{{ $proxy.chp.image.tag }}
          args:
            - configurable-http-proxy
            - --ip=
            - --api-ip=
            - --api-port=8001
            - --default-target=http://hub:8081
            - --error-target=http://hub:8081/hub/error
            {{- if $https }}
            - --port=8443
            - --redirect-port=8000
            - --redirect-to=443
            - --ssl-key=/etc/proxy/{{ $proxy.https.secret.key }}
            - --ssl-cert=/etc/proxy/{{ $proxy.https.secret.crt }}
            {{- else }}
            - --port=8000
            {{- end }}
          env:
            - name: CONFIGPROXY_AUTH_TOKEN
              valueFrom:
                secretKeyRef:
                  name: hub
                  key: hub.config.ConfigurableHTTPProxy.auth_token
          resources: {{ toJson $proxy.chp.resources }}
          securityContext: {{ toJson $proxy.chp.containerSecurityContext }}
          ports:
            - name: http
              containerPort: 8000
            - name: https
              containerPort: 8443
            - name: api
              containerPort: 8001
          readinessProbe:
            periodSeconds: 1
            failureThreshold: 1000
            tcpSocket:
              port: {{ $https | ternary "https" "http" }}
          {{- if $https }}
          volumeMounts:
            - name: certificate
              mountPath: /etc/proxy
          {{- end }}
      {{- if $https }}
      volumes:
        - name: certificate
          secret:
            secretName: {{ $proxy.https.secret.name }}
      {{- end }}
