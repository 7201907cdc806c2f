{{- /*
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- $hub := .Values.hub }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: hub
  labels: {{ include "managed" (list . "hub") | nindent 4 }}
data: {{ (.Files.Glob "files/jupyterhub_config.py").AsConfig | nindent 2 }}
---
apiVersion: v1
kind: Service
metadata:
  name: hub
  labels: {{ include "managed" (list . "hub") | nindent 4 }}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/path: {{ trimSuffix "/" $hub.baseUrl }}/hub/metrics
    prometheus.io/port: "8081"
spec:
  selector: {{ include "labels" (list . "hub") | nindent 4 }}
  ports:
    - name: hub
      port: 8081
      targetPort: http
{{- if eq $hub.db.type "sqlite-pvc" }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: hub-db-dir
  labels: {{ include "managed" (list . "hub") | nindent 4 }}
  {{- with $hub.db.pvc.annotations }}
  annotations: {{ toJson . }}
  {{- end }}
spec:
  accessModes: {{ toJson $hub.db.pvc.accessModes }}
  {{- with $hub.db.pvc.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ $hub.db.pvc.storage }}
{{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: hub
  labels: {{ include "managed" (list . "hub") | nindent 4 }}
spec:
  replicas: 1
  strategy: {{ toJson $hub.deploymentStrategy }}
  selector:
    matchLabels: {{ include "labels" (list . "hub") | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "labels" (list . "hub") | nindent 8 }}
        hub.jupyter.org/network-access-proxy-api: "true"
        hub.jupyter.org/network-access-proxy-http: "true"
        hub.jupyter.org/network-access-singleuser: "true"
        {{- range $name, $value := $hub.labels }}
        {{ $name }}: {{ quote $value }}
        {{- end }}
      annotations:
        # other values start the hub again; with generated secrets, so does the first upgrade
        checksum/config: {{ .Files.Get "files/jupyterhub_config.py" | sha256sum }}
        checksum/secret: {{ include (print .Template.BasePath "/hub-secret.yaml.tpl") . | sha256sum }}
        {{- range $name, $value := $hub.annotations }}
        {{ $name }}: {{ quote $value }}
        {{- end }}
    spec:
      {{- include "core-nodes" (list . $hub.nodeSelector $hub.tolerations) | nindent 6 }}
      serviceAccountName: {{ include "account" . }}
      securityContext: {{ toJson $hub.podSecurityContext }}
      containers:
        - name: hub
          image: {{ $hub.image.name }}:{{ $hub.image.tag }}
          args: [jupyterhub, --config, /usr/local/etc/jupyterhub/jupyterhub_config.py, --upgrade-db]
          resources: {{ toJson $hub.resources }}
          securityContext: {{ toJson $hub.containerSecurityContext }}
          ports:
            - name: http
              containerPort: 8081
          readinessProbe:
            periodSeconds: 1
            failureThreshold: 1000
            httpGet:
              path: {{ trimSuffix "/" $hub.baseUrl }}/hub/health
              port: http
          env:
            - name: PYTHONUNBUFFERED
              value: "1"
            - name: HELM_RELEASE_NAME
              value: {{ .Release.Name }}
            - name: POD_NAMESPACE
              valueFrom:
                fieldRef:
                  fieldPath: metadata.namespace
            - name: CONFIGPROXY_AUTH_TOKEN
              valueFrom:
                secretKeyRef:
                  name: hub
                  key: hub.config.ConfigurableHTTPProxy.auth_token
            {{- include "environment" $hub.extraEnv | indent 12 }}
          volumeMounts:
            - name: config
              mountPath: /usr/local/etc/jupyterhub/jupyterhub_config.py
              subPath: jupyterhub_config.py
            - name: secret
              mountPath: /usr/local/etc/jupyterhub/secret
            {{- if $hub.existingSecret }}
            - name: existing-secret
              mountPath: /usr/local/etc/jupyterhub/existing-secret
            {{- end }}
            {{- range $key, $file := $hub.extraFiles }}
            - name: files
              mountPath: {{ $file.mountPath }}
              subPath: {{ $key }}
            {{- end }}
            {{- if eq $hub.db.type "sqlite-pvc" }}
            - name: database
              mountPath: /srv/jupyterhub
            {{- end }}
            {{- with $hub.extraVolumeMounts }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
      volumes:
        - name: config
          configMap:
            name: hub
        - name: secret
          secret:
            secretName: hub
        {{- with $hub.existingSecret }}
        - name: existing-secret
          secret:
            secretName: {{ . }}
        {{- end }}
        {{- with $hub.extraFiles }}
        - name: files
          secret:
            secretName: hub
            items:
              {{- range $key, $file := . }}
              - key: {{ $key }}
                path: {{ $key }}
                {{- with $file.mode }}
                mode: {{ . }}
                {{- end }}
              {{- end }}
        {{- end }}
        {{- if eq $hub.db.type "sqlite-pvc" }}
        - name: database
          persistentVolumeClaim:
            claimName: hub-db-dir
        {{- end }}
        {{- with $hub.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
