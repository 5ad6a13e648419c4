# Targets: `worker` (the default, for production) and `stand-in` (a simulated Goldmane, for evaluation). Uses Debian's
# slim image, not Alpine, because Temporal's native core is linked against glibc.
FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20 AS base
WORKDIR /app
COPY package.json package-lock.json ./

FROM base AS build
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY proto ./proto
COPY src ./src
COPY dev ./dev
# Compiles to dist/ and bundles the workflows, so that workers do not bundle at start. The slim image has no CA
# certificates, but Temporal's core reads Debian's file (Temporal Cloud has a public certificate), so the file is
# created from the roots built into Node.
RUN npm run build \
    && node --print 'tls.rootCertificates.join("\n")' > ca-certificates.crt

FROM base AS production
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# Removes files that the worker never reads: Temporal's core for other platforms (27 MB each) and its sources, the compiler for
# bundling workflows (the build stage bundles them), and typings and source maps of dependencies.
RUN find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 \
    ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} + \
    && rm -r node_modules/@temporalio/core-bridge/sdk-core \
    && find node_modules/@swc -mindepth 1 -maxdepth 1 -name 'core-*' -exec rm -r {} + \
    && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.cts' -o -name '*.mts' \) -delete

FROM build AS stand-in
COPY deploy/compose/stand-in.ts ./deploy/compose/
# A new named volume inherits the owner of this folder.
RUN install -d -o 65532 -g 65532 certificates
USER 65532:65532
EXPOSE 7443
ENTRYPOINT ["node", "--enable-source-maps", "--import", "tsx", "deploy/compose/stand-in.ts"]

FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20 AS worker
WORKDIR /app
# Two settings of glibc's malloc: few arenas, and a fixed threshold above which freed memory returns to the kernel. By default, glibc has
# arenas for each thread and raises the threshold up to 64 MiB (docs/benchmarks.md).
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072
COPY --from=build /app/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=production /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY migrations ./migrations
COPY --from=build /app/dist ./dist
# Numeric, so that Kubernetes can verify that it is not root. This user cannot write to any file in the image.
USER 65532:65532
EXPOSE 8080 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT || 8080}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Same flags as `npm run worker`: V8 collects garbage sooner, which halves the worker's memory while it catches up.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--heap-growing-percent=30", "/app/dist/cli/main.js"]
CMD ["aggregate"]
