apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    app: {{ .Release.Name }}
  ports:
    - port: 80
---
# Nothing but a comment.
{{- range .Values.objects }}
---
{{ toYaml . }}
{{- end }}
