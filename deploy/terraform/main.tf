# Example: the chart with a database password that Vault rotates, and without any secret in Terraform's state. External Secrets
# projects the password and the webhook; the chart's CronJob copies Goldmane's certificates inside the cluster. Adapt the values.
# A test renders the chart with values.yaml; this file itself was parsed, but not applied.

terraform {
  required_providers {
    helm       = { source = "hashicorp/helm", version = ">= 3.0" }
    kubernetes = { source = "hashicorp/kubernetes", version = ">= 2.30" }
  }
}

variable "postgresql_host" {
  type        = string
  description = "Host of PostgreSQL as pods reach it"
  default     = "pg-cluster-rw.dbaas.svc.cluster.local"
}

variable "image" {
  type        = object({ repository = string, digest = string })
  description = "Where the registry has the image, and its digest (sha256:...)"
}

resource "kubernetes_namespace" "flow_trail" {
  metadata {
    name = "goldmane-flow-trail"
    labels = {
      "pod-security.kubernetes.io/enforce" = "restricted"
    }
  }
}

# The role's password is rotated by Vault. The worker reads the mounted file again at every connection: no reload annotation.
resource "kubernetes_manifest" "database" {
  manifest = {
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "flow-trail-database"
      namespace = kubernetes_namespace.flow_trail.metadata[0].name
    }
    spec = {
      refreshInterval = "5m"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-database" }
      target = {
        template = {
          data = {
            DATABASE_URL = "postgres://goldmane_edges:{{ .password | urlquery }}@${var.postgresql_host}:5432/goldmane_edges"
          }
        }
      }
      data = [{
        secretKey = "password"
        remoteRef = { key = "static-creds/pg-goldmane-edges", property = "password" }
      }]
    }
  }
}

resource "kubernetes_manifest" "slack" {
  manifest = {
    apiVersion = "external-secrets.io/v1"
    kind       = "ExternalSecret"
    metadata = {
      name      = "flow-trail-slack"
      namespace = kubernetes_namespace.flow_trail.metadata[0].name
    }
    spec = {
      refreshInterval = "1h"
      secretStoreRef  = { kind = "ClusterSecretStore", name = "vault-kv" }
      data = [{
        secretKey = "SLACK_WEBHOOK_URL"
        remoteRef = { key = "monitoring", property = "alertmanager_slack_api_url" }
      }]
    }
  }
}

resource "helm_release" "flow_trail" {
  name      = "goldmane-flow-trail"
  namespace = kubernetes_namespace.flow_trail.metadata[0].name
  chart     = "${path.module}/../helm"

  values = [file("${path.module}/values.yaml"), yamlencode({ image = var.image })]

  depends_on = [kubernetes_manifest.database]
}
