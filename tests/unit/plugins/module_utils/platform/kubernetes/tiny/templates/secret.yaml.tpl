{{- if .Values.refuse }}
{{- fail (printf "\n\n#########\nrefused:\n  %s %v" .Values.refuse .Values.password) }}
{{- end }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
data:
  password: {{ .Values.password }}
{{- with .Values.missing }}
  other: {{ .a.b.c }}
{{- end }}
