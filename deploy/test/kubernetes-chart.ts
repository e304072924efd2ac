/**
 * The configuration that the official chart of NATS makes of values, as far as ours go: what its files/config/*.yaml and
 * its rules for `merge` say (nats-io/k8s, helm/charts/nats).
 */
export interface ChartValues {
  readonly config: {
    readonly cluster: { readonly replicas: number; readonly tls: ChartTls };
    readonly nats: { readonly tls: ChartTls };
    readonly jetstream: {
      readonly fileStore: { readonly maxSize: string; readonly pvc: { readonly size: string } };
      readonly memoryStore: { readonly maxSize: string };
      readonly merge: object;
    };
    readonly merge: object;
  };
  readonly container: {
    readonly patch: readonly { readonly value: { readonly mountPath: string } }[];
    readonly merge: { readonly resources: { readonly limits: { readonly memory: string } } };
  };
  readonly podTemplate: {
    readonly patch: readonly {
      readonly value: {
        readonly configMap: {
          readonly name: string;
          readonly items: readonly { readonly key: string; readonly path: string }[];
        };
      };
    }[];
  };
}

interface ChartTls {
  readonly secretName: string;
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly merge: object;
}

/** Without what only says where the server listens; `cluster`: whether it is one of several. */
export function chartConfig({ config }: ChartValues, { cluster }: { cluster: boolean }): string {
  const { fileStore, memoryStore, merge } = config.jetstream;
  const { replicas, tls } = config.cluster;
  const routes = Array.from({ length: replicas }, (_, i) => `tls://nats-${i}.nats-headless:6222`);
  const several = { name: "nats", port: 6222, no_advertise: true, routes };
  return written({
    server_name: "<< $POD_NAME >>",
    lame_duck_grace_period: "10s",
    lame_duck_duration: "30s",
    tls: tlsOf(config.nats.tls, "/etc/nats-certs/nats"),
    ...(cluster ? { cluster: { ...several, tls: tlsOf(tls, "/etc/nats-certs/cluster") } } : {}),
    jetstream: {
      max_memory_store: `<< ${memoryStore.maxSize} >>`,
      store_dir: "/data",
      max_file_store: `<< ${fileStore.maxSize} >>`,
      ...merge,
    },
    ...config.merge,
  });
}

function tlsOf({ cert, key, ca, merge }: ChartTls, folder: string): object {
  const asked = ca === undefined ? {} : { ca_file: `${folder}/${ca}`, verify: true };
  return { cert_file: `${folder}/${cert}`, key_file: `${folder}/${key}`, ...asked, ...merge };
}

/** JSON with sorted keys, except for values between << and >>, and keys that end in $include. */
function written(config: object): string {
  const sorted = Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
  const lines = JSON.stringify(sorted, null, 2)
    .replace(/".*\$include": "(.*)",?/g, "include $1;")
    .replace(/"<<\s+(.*)\s+>>"/g, "$1")
    .split("\n");
  return lines.slice(1, -1).join("\n"); // without the braces around all
}
