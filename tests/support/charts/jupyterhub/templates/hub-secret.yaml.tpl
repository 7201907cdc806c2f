{{- /*
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/ -}}
{{- $config := .Values.hub.config }}
{{- $release := dict "Release" (pick .Release "Name" "Namespace") }}
apiVersion: v1
kind: Secret
metadata:
  name: hub
  labels: {{ include "managed" (list . "hub") | nindent 4 }}
data:
  values.yaml: {{ merge $release .Values | toYaml | b64enc }}
  hub.config.ConfigurableHTTPProxy.auth_token: {{ include "proxy-token" . | b64enc }}
  {{- $given := dig "JupyterHub" "cookie_secret" "" $config }}
  hub.config.JupyterHub.cookie_secret: {{ include "secret" (list . "hub.config.JupyterHub.cookie_secret" $given (randAlphaNum 64 | sha256sum)) | b64enc }}
  {{- $given := dig "CryptKeeper" "keys" list $config | join ";" }}
  hub.config.CryptKeeper.keys: {{ include "secret" (list . "hub.config.CryptKeeper.keys" $given (randAlphaNum 64 | sha256sum)) | b64enc }}
  {{- with .Values.hub.db.password }}
  hub.db.password: {{ b64enc . }}
  {{- end }}
  {{- range $name, $service := .Values.hub.services }}
  {{- $key := printf "hub.services.%s.apiToken" $name }}
  {{ $key }}: {{ include "secret" (list $ $key $service.apiToken (randAlphaNum 64 | sha256sum)) | b64enc }}
  {{- end }}
  {{- include "files" .Values.hub.extraFiles | indent 2 }}
