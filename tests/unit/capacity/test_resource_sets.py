"""What each ready-made set measures, on estates written by hand."""

import json
from urllib.parse import quote

import pytest
from measured_sets import GRID, estate, measured, measured_by
from servers import backfill, get, prometheus

import workbench
from workbench.capacity import load_resources, questions, set_names, shipped_resources
from workbench.engine import Engine

KUBERNETES = """
container_cpu_usage_seconds_total{namespace="shop",pod="web-7d9f8b6c5d-x2x4z",container="web",id="a"} +0.5
container_cpu_usage_seconds_total{namespace="shop",pod="web-7d9f8b6c5d-bbbbb",container="web",id="b"} +0.75
container_cpu_usage_seconds_total{namespace="shop",pod="web-7d9f8b6c5d-bbbbb",container="",id="c"} +0.9
container_cpu_usage_seconds_total{namespace="shop",pod="web-7d9f8b6c5d-bbbbb",container="POD",id="d"} +0.9
container_cpu_usage_seconds_total{namespace="shop",pod="db-0",container="db"} +1.5
container_memory_working_set_bytes{namespace="shop",pod="db-0",container="db"} 300
container_memory_working_set_bytes{namespace="shop",pod="db-1",container="db"} 500
container_memory_working_set_bytes{namespace="shop",pod="backup-28374650-z4b5c",container="dump"} 70
container_memory_working_set_bytes{namespace="shop",pod="my-redis",container="redis"} 80
kube_pod_container_resource_limits{namespace="shop",pod="web-7d9f8b6c5d-x2x4z",container="web",resource="cpu",unit="core",node="n1"} 1
kube_pod_container_resource_limits{namespace="shop",pod="web-7d9f8b6c5d-bbbbb",container="web",resource="cpu",unit="core",node="n2"} 2
kube_pod_container_resource_limits{namespace="shop",pod="db-0",container="db",resource="memory",unit="byte",node="n1"} 1000
kube_pod_container_resource_limits{namespace="shop",pod="db-1",container="db",resource="memory",unit="byte",node="n2"} 1000
kube_pod_container_resource_limits{namespace="shop",pod="backup-28374650-z4b5c",container="dump",resource="memory",unit="byte",node="n2"} 100
kube_pod_container_resource_limits{namespace="shop",pod="my-redis",container="redis",resource="memory",unit="byte",node="n2"} 90
kube_pod_container_resource_requests{namespace="shop",pod="db-0",container="db",resource="cpu",unit="core",node="n1"} 1
kube_pod_container_resource_requests{namespace="shop",pod="db-1",container="db",resource="cpu",unit="core",node="n2"} 2
kube_pod_container_resource_requests{namespace="shop",pod="next",container="db",resource="cpu",unit="core",node=""} 4
kube_pod_container_resource_requests{namespace="shop",pod="done",container="db",resource="cpu",unit="core",node="n2"} 8
kube_pod_container_resource_requests{namespace="shop",pod="db-0",container="db",resource="memory",unit="byte",node="n1"} 200
kube_pod_status_phase{namespace="shop",pod="db-0",phase="Running"} 1
kube_pod_status_phase{namespace="shop",pod="db-0",phase="Pending"} 0
kube_pod_status_phase{namespace="shop",pod="db-1",phase="Running"} 1
kube_pod_status_phase{namespace="shop",pod="next",phase="Pending"} 1
kube_pod_status_phase{namespace="shop",pod="done",phase="Succeeded"} 1
kube_pod_status_phase{namespace="shop",pod="done",phase="Running"} 0
kube_pod_info{namespace="shop",pod="db-0",node="n1",uid="1"} 1
kube_pod_info{namespace="shop",pod="db-1",node="n2",uid="2"} 1
kube_pod_info{namespace="shop",pod="done",node="n2",uid="3"} 1
kube_pod_info{namespace="shop",pod="next",node="",uid="4"} 1
kube_node_status_allocatable{node="n1",resource="cpu",unit="core"} 4
kube_node_status_allocatable{node="n2",resource="cpu",unit="core"} 8
kube_node_status_allocatable{node="n1",resource="memory",unit="byte"} 4000
kube_node_status_allocatable{node="n1",resource="pods",unit="integer"} 4
kube_node_status_allocatable{node="n2",resource="pods",unit="integer"} 10
kube_resourcequota{namespace="shop",resourcequota="team",resource="requests.cpu",type="used"} 6
kube_resourcequota{namespace="shop",resourcequota="team",resource="requests.cpu",type="hard"} 10
kube_resourcequota{namespace="shop",resourcequota="team",resource="limits.memory",type="used"} 60
kube_resourcequota{namespace="shop",resourcequota="team",resource="limits.memory",type="hard"} 100
kube_resourcequota{namespace="shop",resourcequota="team",resource="gold.storageclass.storage.k8s.io/requests.storage",type="used"} 1
kube_resourcequota{namespace="shop",resourcequota="team",resource="gold.storageclass.storage.k8s.io/requests.storage",type="hard"} 2
kube_resourcequota{namespace="shop",resourcequota="team",resource="pods",type="used"} 3
kube_resourcequota{namespace="shop",resourcequota="team",resource="pods",type="hard"} 30
kube_resourcequota{namespace="shop",resourcequota="team",resource="services.loadbalancers",type="used"} 0
kube_resourcequota{namespace="shop",resourcequota="team",resource="services.loadbalancers",type="hard"} 0
kube_horizontalpodautoscaler_status_desired_replicas{namespace="shop",horizontalpodautoscaler="web"} 4
kube_horizontalpodautoscaler_spec_max_replicas{namespace="shop",horizontalpodautoscaler="web"} 5
kube_horizontalpodautoscaler_spec_min_replicas{namespace="shop",horizontalpodautoscaler="web"} 2
kube_horizontalpodautoscaler_status_desired_replicas{namespace="shop",horizontalpodautoscaler="fixed"} 2
kube_horizontalpodautoscaler_spec_max_replicas{namespace="shop",horizontalpodautoscaler="fixed"} 2
kube_horizontalpodautoscaler_spec_min_replicas{namespace="shop",horizontalpodautoscaler="fixed"} 2
kubelet_volume_stats_used_bytes{namespace="shop",persistentvolumeclaim="data",instance="n1"} 70
kubelet_volume_stats_used_bytes{namespace="shop",persistentvolumeclaim="data",instance="n2"} 71
kubelet_volume_stats_capacity_bytes{namespace="shop",persistentvolumeclaim="data",instance="n1"} 100
kubelet_volume_stats_capacity_bytes{namespace="shop",persistentvolumeclaim="data",instance="n2"} 100
kubelet_volume_stats_inodes_used{namespace="shop",persistentvolumeclaim="data",instance="n1"} 5
kubelet_volume_stats_inodes{namespace="shop",persistentvolumeclaim="data",instance="n1"} 50
kubelet_volume_stats_inodes_used{namespace="shop",persistentvolumeclaim="tree",instance="n1"} 0
kubelet_volume_stats_inodes{namespace="shop",persistentvolumeclaim="tree",instance="n1"} 0
"""

KUBERNETES_MEASURED = {
    "CPU limit shop web web": (0.75, 1),
    "memory limit shop db db": (500, 1000),
    "memory limit shop backup dump": (70, 100),
    "memory limit shop my-redis redis": (80, 90),
    "quota of CPU shop team requests.cpu": (6, 10),
    "quota of memory shop team limits.memory": (60, 100),
    "quota of storage shop team gold.storageclass.storage.k8s.io/requests.storage": (1, 2),
    "quota of objects shop team pods": (3, 30),
    "quota of objects shop team services.loadbalancers": (0, 0),
    "requested CPU of the cluster": (7, 12),
    "requested memory of the cluster": (200, 4000),
    "pods on the fullest node": (0.25, 1),
    "replicas of the autoscaler shop web": (4, 5),
    "volume shop data": (71, 100),
    "volume inodes shop data": (5, 50),
}

JVM = """
jvm_memory_used_bytes{job="shop",instance="a",area="heap",id="G1 Eden Space"} 400/0
jvm_memory_used_bytes{job="shop",instance="a",area="heap",id="G1 Old Gen"} 500/300
jvm_memory_used_bytes{job="shop",instance="a",area="nonheap",id="Metaspace"} 60
jvm_memory_used_bytes{job="shop",instance="a",area="nonheap",id="CodeHeap 'profiled nmethods'"} 30
jvm_memory_used_bytes{job="shop",instance="a",area="nonheap",id="CodeHeap 'non-nmethods'"} 10
jvm_memory_max_bytes{job="shop",instance="a",area="heap",id="G1 Eden Space"} -1
jvm_memory_max_bytes{job="shop",instance="a",area="heap",id="G1 Old Gen"} 1000
jvm_memory_max_bytes{job="shop",instance="a",area="nonheap",id="Metaspace"} -1
jvm_memory_max_bytes{job="shop",instance="a",area="nonheap",id="CodeHeap 'profiled nmethods'"} 100
jvm_memory_max_bytes{job="shop",instance="a",area="nonheap",id="CodeHeap 'non-nmethods'"} 60
jvm_memory_used_bytes{job="shop",instance="b",area="heap",id="G1 Old Gen"} 100
jvm_memory_max_bytes{job="shop",instance="b",area="heap",id="G1 Old Gen"} 200
jvm_gc_pause_seconds_sum{job="shop",instance="a",action="end of minor GC",cause="G1"} +0.01
jvm_gc_pause_seconds_sum{job="shop",instance="a",action="end of major GC",cause="G1"} +0.04
jvm_gc_pause_seconds_sum{job="shop",instance="b",action="end of minor GC",cause="G1"} +0.02
jvm_threads_live_threads{job="shop",instance="a"} 90
process_files_open_files{job="shop",instance="a"} 25
process_files_max_files{job="shop",instance="a"} 100
"""

JVM_CLIENT = """
jvm_memory_used_bytes{job="old",instance="c",area="heap"} 40
jvm_memory_max_bytes{job="old",instance="c",area="heap"} 80
jvm_memory_pool_used_bytes{job="old",instance="c",pool="Metaspace"} 30
jvm_memory_pool_max_bytes{job="old",instance="c",pool="Metaspace"} 40
jvm_gc_collection_seconds_sum{job="old",instance="c",gc="G1 Young Generation"} +0.125
"""

JVM_CLIENT_BEFORE_1 = """
jvm_memory_bytes_used{job="old",instance="c",area="heap"} 40
jvm_memory_bytes_max{job="old",instance="c",area="heap"} 80
jvm_memory_pool_bytes_used{job="old",instance="c",pool="Code Cache"} 10
jvm_memory_pool_bytes_max{job="old",instance="c",pool="Code Cache"} 40
"""

JAVA_POOLS = """
hikaricp_connections_active{job="shop",instance="a",pool="main"} 9
hikaricp_connections_max{job="shop",instance="a",pool="main"} 10
hikaricp_connections_active{job="shop",instance="b",pool="main"} 9
hikaricp_connections_max{job="shop",instance="b",pool="main"} 20
jdbc_connections_active{job="shop",instance="a",name="dataSource"} 9
jdbc_connections_max{job="shop",instance="a",name="dataSource"} 10
jdbc_connections_active{job="till",instance="c",name="dataSource"} 3
jdbc_connections_max{job="till",instance="c",name="dataSource"} 4
tomcat_threads_busy_threads{job="shop",instance="a",name="http-nio-8080"} 50
tomcat_threads_config_max_threads{job="shop",instance="a",name="http-nio-8080"} 200
tomcat_connections_current_connections{job="shop",instance="a",name="http-nio-8080"} 81
tomcat_connections_config_max_connections{job="shop",instance="a",name="http-nio-8080"} 8192
"""

SERVERS = """
pg_stat_activity_count{job="pg",instance="p1",server="db:5432",datname="shop",state="active"} 20
pg_stat_activity_count{job="pg",instance="p1",server="db:5432",datname="shop",state="idle"} 30
pg_settings_max_connections{job="pg",instance="p1",server="db:5432"} 100
pg_settings_superuser_reserved_connections{job="pg",instance="p1",server="db:5432"} 3
pgbouncer_pools_server_active_connections{job="bouncer",instance="b1",database="shop",user="web"} 12
pgbouncer_pools_server_active_connections{job="bouncer",instance="b1",database="shop",user="batch"} 2
pgbouncer_pools_client_active_connections{job="bouncer",instance="b1",database="shop",user="web"} 40
pgbouncer_pools_client_waiting_connections{job="bouncer",instance="b1",database="shop",user="web"} 5
pgbouncer_databases_pool_size{job="bouncer",instance="b1",name="shop",database="shop_production",host="db"} 15
pgbouncer_config_max_client_connections{job="bouncer",instance="b1"} 500
mysql_global_status_threads_connected{job="my",instance="m1"} 7
mysql_global_variables_max_connections{job="my",instance="m1"} 151
mysql_info_schema_auto_increment_column{job="my",instance="m1",schema="shop",table="orders",column="id"} 2000000000
mysql_info_schema_auto_increment_column_max{job="my",instance="m1",schema="shop",table="orders",column="id"} 2147483647
redis_memory_used_bytes{job="redis",instance="store"} 60
redis_memory_max_bytes{job="redis",instance="store"} 100
redis_instance_info{job="redis",instance="store",maxmemory_policy="noeviction",redis_version="7.2.4"} 1
redis_memory_used_bytes{job="redis",instance="cache"} 100
redis_memory_max_bytes{job="redis",instance="cache"} 100
redis_instance_info{job="redis",instance="cache",maxmemory_policy="allkeys-lru",redis_version="7.2.4"} 1
redis_memory_used_bytes{job="redis",instance="free"} 100
redis_memory_max_bytes{job="redis",instance="free"} 0
redis_connected_clients{job="redis",instance="store"} 11
redis_config_maxclients{job="redis",instance="store"} 10000
rabbitmq_process_resident_memory_bytes{job="mq",instance="r1"} 2
rabbitmq_resident_memory_limit_bytes{job="mq",instance="r1"} 8
rabbitmq_process_open_fds{job="mq",instance="r1"} 30
rabbitmq_process_max_fds{job="mq",instance="r1"} 1024
rabbitmq_erlang_processes_used{job="mq",instance="r1"} 400
rabbitmq_erlang_processes_limit{job="mq",instance="r1"} 1048576
vllm:kv_cache_usage_perc{job="vllm",model_name="llama",engine="0"} 0.25
vllm:kv_cache_usage_perc{job="vllm",model_name="llama",engine="1"} 0.5
vllm:gpu_cache_usage_perc{job="vllm",model_name="llama",engine="1"} 0.5
node_network_receive_bytes_total{instance="n1",device="eth0"} +1000
node_network_receive_bytes_total{instance="n1",device="lo"} +9000
node_network_receive_bytes_total{instance="n2",device="eth0"} +1000
node_network_transmit_bytes_total{instance="n1",device="eth0"} +2000
node_network_speed_bytes{instance="n1",device="eth0"} 125000
node_network_speed_bytes{instance="n2",device="eth0"} -125000
"""

SERVERS_MEASURED = {
    "PostgreSQL connections pg p1 db:5432": (50, 97),
    "PgBouncer pool bouncer b1 shop web": (12, 15),
    "PgBouncer pool bouncer b1 shop batch": (2, 15),
    "PgBouncer clients bouncer b1": (45, 500),
    "MySQL connections my m1": (7, 151),
    "MySQL automatic keys my m1 shop orders id": (2_000_000_000, 2_147_483_647),
    "Redis memory redis store": (60, 100),
    "Redis clients redis store": (11, 10_000),
    "RabbitMQ memory mq r1": (2, 8),
    "RabbitMQ open files mq r1": (30, 1024),
    "RabbitMQ Erlang processes mq r1": (400, 1_048_576),
    "vLLM KV cache vllm llama": (0.5, 1),
    "network received a second n1 eth0": (1000, 125_000),
    "network sent a second n1 eth0": (2000, 125_000),
}

LITELLM = """
litellm_total_tokens_metric_total{model="gpt-4o",model_id="m1",api_provider="openai",team="a"} +100
litellm_total_tokens_metric_total{model="gpt-4o",model_id="m1",api_provider="openai",team="b"} +50
litellm_total_tokens_metric_total{model="gpt-4o",model_id="m2",api_provider="openai",team="b"} +50
litellm_deployment_tpm_limit{litellm_model_name="gpt-4o",model_id="m1",api_provider="openai",api_base="x",instance="p1"} 30000
litellm_deployment_tpm_limit{litellm_model_name="gpt-4o",model_id="m1",api_provider="openai",api_base="x",instance="p2"} 30000
litellm_deployment_total_requests_total{litellm_model_name="gpt-4o",model_id="m1",api_provider="openai",team="a"} +0.5
litellm_deployment_rpm_limit{litellm_model_name="gpt-4o",model_id="m1",api_provider="openai",api_base="x",instance="p1"} 60
"""


def test_kubernetes():
    """Cgroups of pods and pauses, pods that ended and quotas of 0 are not counted as use."""
    assert measured(KUBERNETES, "kubernetes") == KUBERNETES_MEASURED


def test_kubernetes_with_clusters_joins_within_a_cluster_only():
    both = KUBERNETES.replace("{", '{cluster="eu",') + KUBERNETES.replace("{", '{cluster="us",')
    found = measured(both, "kubernetes")
    assert len(found) == 2 * len(KUBERNETES_MEASURED)
    assert found["requested CPU of the cluster us"] == (7, 12)
    assert found["CPU limit eu shop web web"] == (0.75, 1)


def test_kubernetes_requests_and_nodes_are_optional():
    assert "kubernetes_requests" in set_names()
    assert not {r.name for r in shipped_resources("kubernetes_requests", "kubernetes_nodes")} & {
        r.name for r in shipped_resources()
    }
    assert measured(KUBERNETES, "kubernetes_requests", "kubernetes_nodes") == {
        "CPU request shop db db": (1.5, 1),
        "memory request shop db db": (500, 200),
        "requested CPU n1": (1, 4),
        "requested CPU n2": (2, 8),
        "requested memory n1": (200, 4000),
        "pods n1": (1, 4),
        "pods n2": (1, 10),
    }


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("checkout-6b7f5d8c9-7xk2p", "checkout"),
        ("node-exporter-w8vzq", "node-exporter"),
        ("kafka-12", "kafka"),
        ("report-28374650-b2c4d", "report"),
        ("coredns-5d78c9869d-2xkzw", "coredns"),
        ("kube-apiserver-node-a", "kube-apiserver-node-a"),
        ("lonely", "lonely"),
    ],
)
def test_a_pod_is_known_by_its_workload(pod, workload):
    text = f"""
    container_memory_working_set_bytes{{namespace="n",pod="{pod}",container="c"}} 1
    kube_pod_container_resource_limits{{namespace="n",pod="{pod}",container="c",resource="memory"}} 2
    """
    assert measured(text, "kubernetes") == {f"memory limit n {workload} c": (1, 2)}


def test_jvm_by_micrometer():
    """The heap counts after collections; instance b is fuller than a, and has no other pools."""
    assert measured(JVM, "jvm") == {
        "JVM heap shop": (0.5, 1),
        "JVM code cache shop": (0.25, 1),
        "JVM garbage collection shop": (0.05, 0.2),
        "JVM open files shop": (0.25, 1),
    }


def test_jvm_heap_is_what_lives_after_a_collection():
    alone = "\n".join(line for line in JVM.splitlines() if 'instance="a"' in line)
    assert measured(alone, "jvm")["JVM heap shop"] == (0.3, 1)


def test_jvm_by_client_java():
    assert measured(JVM_CLIENT, "jvm") == {
        "JVM heap old": (0.5, 1),
        "JVM metaspace old": (0.75, 1),
        "JVM garbage collection old": (0.125, 0.2),
    }


def test_jvm_by_client_java_before_1():
    assert measured(JVM_CLIENT_BEFORE_1, "jvm") == {
        "JVM heap old": (0.5, 1),
        "JVM code cache old": (0.25, 1),
    }


def test_jvm_under_two_names_is_counted_once():
    assert measured(JVM_CLIENT + JVM_CLIENT_BEFORE_1, "jvm")["JVM heap old"] == (0.5, 1)


def test_java_pools():
    """A HikariCP pool that JDBC counts again is not told twice."""
    assert measured(JAVA_POOLS, "java_pools") == {
        "HikariCP connections shop main": (0.9, 1),
        "JDBC connections till dataSource": (0.75, 1),
        "Tomcat threads shop http-nio-8080": (0.25, 1),
        "Tomcat connections shop http-nio-8080": (round(81 / 8192, 6), 1),
    }


def test_databases_queues_and_networks():
    """Caches that evict, servers without a limit and links of unknown speed are left out."""
    sets = ["postgresql", "pgbouncer", "mysql", "redis", "rabbitmq", "vllm", "node"]
    assert measured(SERVERS, *sets) == SERVERS_MEASURED


def test_litellm_deployments_against_their_own_limits():
    """Every proxy tells the same limit; a deployment without one is left out."""
    assert measured(LITELLM, "litellm") == {
        "LiteLLM tokens a minute openai gpt-4o m1": (9000, 30_000),
        "LiteLLM requests a minute openai gpt-4o m1": (30, 60),
    }


GATEWAY = """
llm_gateway_input_tokens_total{provider="openai",model="gpt-4o",team="a"} +90
llm_gateway_input_tokens_total{provider="openai",model="gpt-4o",team="b"} +5
llm_gateway_output_tokens_total{provider="openai",model="gpt-4o",team="a"} +5
llm_gateway_input_tokens_total{provider="openai",model="o3",team="a"} +1
llm_gateway_output_tokens_total{provider="openai",model="o3",team="a"} +1
kafka_consumergroup_lag{job="kafka",consumergroup="mail",topic="orders",partition="0"} 40
kafka_consumergroup_lag{job="kafka",consumergroup="mail",topic="orders",partition="1"} 2
kafka_consumergroup_lag{job="kafka",consumergroup="mail",topic="orders",partition="2"} -1
gen_ai_client_token_usage_sum{gen_ai_system="openai",gen_ai_request_model="o3",gen_ai_token_type="input"} +2
gen_ai_client_token_usage_sum{gen_ai_system="openai",gen_ai_request_model="o3",gen_ai_token_type="output"} +1
gen_ai_client_token_usage_sum{gen_ai_system="openai",gen_ai_request_model="o3",gen_ai_token_type="cached_input"} +9
"""


def test_what_no_metric_limits_is_not_watched_by_itself():
    assert measured(GATEWAY, "llm_gateway", "kafka", "genai") == {}


def test_limits_by_model_come_from_the_users_file(tmp_path):
    """A model that the list does not name is left out."""
    path = tmp_path / "resources.toml"
    path.write_text("""
        use = ["llm_gateway", "kafka", "genai"]
        [[resource]]
        name = "gateway tokens a minute {provider} {model}"
        limit = '''
          label_replace(label_replace(vector(2e6), "provider", "openai", "", ""), "model", "gpt-4o", "", "")
        or
          label_replace(label_replace(vector(4e5), "provider", "anthropic", "", ""), "model", "x", "", "")
        '''
        [[resource]]
        name = "Kafka lag {job} {consumergroup} {topic}"
        limit = 500
        [[resource]]
        name = "GenAI tokens a minute {gen_ai_provider_name} {gen_ai_system} {gen_ai_request_model}"
        limit = 1000
        owner = "search"
    """)
    assert measured_by(GATEWAY, load_resources(path)) == {
        "gateway tokens a minute openai gpt-4o": (6000, 2e6),
        "Kafka lag kafka mail orders": (42, 500),
        "GenAI tokens a minute openai o3": (180, 1000),
    }


GO = """
go_memstats_sys_bytes{job="api",instance="a"} 100
go_memstats_heap_released_bytes{job="api",instance="a"} 40
go_gc_gomemlimit_bytes{job="api",instance="a"} 90
go_memstats_sys_bytes{job="api",instance="unlimited"} 100
go_memstats_heap_released_bytes{job="api",instance="unlimited"} 40
go_gc_gomemlimit_bytes{job="api",instance="unlimited"} 9223372036854775807
go_memstats_sys_bytes{job="prometheus",instance="p"} 1000
go_memstats_heap_released_bytes{job="prometheus",instance="p"} 100
go_gc_gomemlimit_bytes{job="prometheus",instance="p"} 1800
prometheus_tsdb_head_series{job="prometheus",instance="p"} 5
"""


def test_memory_of_go_and_of_prometheus():
    """Each process is in one of the two sets; one without a limit is in none."""
    assert measured(GO, "go", "prometheus") == {
        "Go memory api a": (60, 90),
        "Prometheus memory p": (900, 1800),
        "Prometheus series p": (5, None),
    }


ESTATE = KUBERNETES + JVM + JVM_CLIENT_BEFORE_1 + JAVA_POOLS + SERVERS + LITELLM + GATEWAY + GO


@pytest.mark.servers
def test_prometheus_answers_the_same(tmp_path):
    """Every query of every set, asked of a real server, gives what the embedded engine gives."""
    series = sorted(estate(ESTATE), key=lambda each: each[0]["__name__"])
    backfill(series, tmp_path / "data")
    ours = Engine(workbench.snapshot(series).store)
    asked = questions(shipped_resources(*set_names()), GRID)
    answered = 0
    with prometheus(tmp_path) as server:
        for each in asked:
            text, at = quote(each.expression), GRID.end_ms / 1000
            body = json.loads(get(f"{server.url}/api/v1/query?query={text}&time={at}"))
            theirs = {_key(r["metric"]): float(r["value"][1]) for r in body["data"]["result"]}
            frame = ours.instant(each.expression, GRID.end_ms).data
            mine = dict(zip(map(_key, frame.labels), frame.values[:, 0].tolist(), strict=True))
            assert mine == pytest.approx(theirs), each.expression
            answered += bool(theirs)
    assert answered > 60


def _key(labels):
    return json.dumps(dict(labels), sort_keys=True)
