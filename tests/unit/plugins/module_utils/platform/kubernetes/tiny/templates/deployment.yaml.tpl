apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels:
    kubernetes: {{ .Capabilities.KubeVersion.Version | quote }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: &labels
      app: {{ .Release.Name }}
  {{- with .Values.extra }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  template:
    metadata:
      labels: *labels
    spec:
      containers:
        - name: main
          image: example.org/tiny:1
          env:
            - name: VARIABLE
              value: {{ .Values.variable }}
