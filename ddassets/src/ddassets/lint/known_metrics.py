"""Known metric prefixes and the integrations that submit them.

Collected by hand: prefixes of the Agent, of Datadog's own products and of well-known integrations. A missing prefix
causes an unnecessary note; a wrong prefix hides misspellings.
"""

# The Agent, its system checks, and Datadog's products.
_DATADOG = """
    system datadog dd trace runtime ntp process network disk file directory dns http tcp ssh tls sdk snmp net
    synthetics rum logs events profiling ci apm universal_service_monitoring security_monitoring appsec cost
    container containers kubernetes kubernetes_state kubernetes_state_core kubernetes_admission kube_apiserver
    kube_controller_manager kube_dns kube_metrics_server kube_proxy kube_scheduler kubelet coredns etcd docker
    containerd cri crio podman oom_kill tcp_queue_length ebpf gpu nvidia otel otelcol jvm jmx java dotnet clr
    python ruby go go_expvar go_metrics nodejs service
"""
_CLOUDS = """
    aws azure gcp gcp_auth alibaba_cloud oci oracle_cloud ibm_cloud cloudflare fastly heroku vsphere nutanix
    openstack cloud_foundry_api cloudfoundry pivotal vmware proxmox digitalocean linode
"""
_INTEGRATIONS = """
    active_directory activemq aerospike airflow amazon_msk ambari ansible apache arangodb argo_cd
    argo_rollouts argo_workflows argocd aspdotnet avi avi_vantage azure_iot_edge boundary btrfs cacti calico
    cassandra cassandra_nodetool ceph cert_manager chrony cilium cisco_aci cisco_sdwan citrix
    citrix_hypervisor clickhouse cockroachdb confluent confluent_platform consul couch couchbase couchdb dcgm
    dnsmasq druid duckdb dynamodb ecs_fargate ecs fargate eks elastic_cloud elasticsearch elb envoy esxi
    exchange external_dns flink fluentd flux fly_io foundationdb gearmand gearman gitlab gitlab_runner
    glusterfs gunicorn haproxy harbor hazelcast hdfs hive hivemq hudi hyperv ibm_ace ibm_db2 ibm_i ibm_mq
    ibm_was ignite iis impala infiniband istio jboss_wildfly jenkins jetty kafka kafka_consumer karpenter keda
    kepler keycloak kong kube kubeflow kubevirt kyototycoon kyverno lambda lighttpd linkerd litellm lparstats
    mapr mapreduce marathon marklogic mcache memcached mesos milvus mongo mongodb mongodb_atlas mysql nagios
    nfsstat nginx nginx_ingress_controller nginx_ingress nvidia_triton octopus_deploy openldap openmetrics
    oracle pgbouncer php_fpm php_fpm_status ping pinot postfix postgresql postgres powerdns presto
    prometheus proxysql pulsar puppet quarkus rabbitmq ray redis redisdb rethinkdb riak riakcs sap_hana scylla
    sidekiq singlestore slurm snowflake solr sonarqube spark sqlserver squid statsd strimzi
    supervisord tekton teleport temporal teradata tibco tomcat torchserve traefik traefik_mesh
    trino twemproxy twistlock varnish vault velero vertica vllm voltdb weaviate weblogic win32_event_log
    windows_performance_counters windows_service wmi yarn zk zookeeper sendgrid stripe slack pagerduty github
    okta salesforce auth0 docusign twilio zendesk kinesis
"""
#: The parts before the first dot of the metrics of known sources.
KNOWN_PREFIXES = frozenset(f'{_DATADOG} {_CLOUDS} {_INTEGRATIONS}'.split())

# Prefixes that several integrations share: a name that one of them lacks may belong to another.
SHARED = frozenset(
    """
    kafka kubernetes kubernetes_state nginx jvm jmx java cassandra envoy kube container docker aws azure gcp system
    http network net process snmp trace runtime go_metrics openmetrics prometheus istio postgresql mongodb redis
    """.split()
)


# Suffixes of the metrics of a histogram, a summary or a distribution.
DERIVED_SUFFIXES = frozenset(
    """
    avg count median max min sum 75percentile 90percentile 95percentile 99percentile 999percentile
    bucket quantile total p50 p75 p90 p95 p99 mean rate stddev
    """.split()
)

# Names of the Agent's own host metrics, to recognise a misspelling.
AGENT_METRICS = frozenset(
    f'system.{name}'
    for name in """
    cpu.user cpu.system cpu.idle cpu.iowait cpu.stolen cpu.guest cpu.interrupt cpu.num_cores cpu.context_switches
    load.1 load.5 load.15 load.norm.1 load.norm.5 load.norm.15 uptime fs.file_handles.in_use
    mem.total mem.free mem.used mem.usable mem.pct_usable mem.cached mem.buffered mem.shared mem.slab mem.page_tables
    mem.committed mem.commit_limit swap.total swap.free swap.used swap.pct_free swap.cached swap.swap_in swap.swap_out
    disk.total disk.free disk.used disk.in_use disk.utilized disk.read_time disk.write_time disk.read_time_pct
    disk.write_time_pct fs.inodes.total fs.inodes.free fs.inodes.used fs.inodes.in_use
    io.await io.avg_q_sz io.avg_rq_sz io.r_await io.w_await io.r_s io.w_s io.rkb_s io.wkb_s io.rrqm_s io.wrqm_s io.svctm
    io.util io.block_in io.block_out net.bytes_rcvd net.bytes_sent net.packets_in.count net.packets_in.error
    net.packets_out.count net.packets_out.error net.tcp.retrans_segs net.tcp.in_segs net.tcp.out_segs
    proc.count proc.queue_length processes.number processes.cpu.pct processes.mem.rss
    """.split()
)
