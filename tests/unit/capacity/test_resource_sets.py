"""What each ready-made set measures, on estates written by hand."""

import pytest
from resource_estates import (
    GATEWAY,
    GO,
    JAVA_POOLS,
    JVM,
    JVM_CLIENT,
    JVM_CLIENT_BEFORE_1,
    KUBERNETES,
    LITELLM,
    SERVERS,
    measured,
    measured_by,
)

from workbench.capacity import load_resources, set_names, shipped_resources

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


def test_memory_of_go_and_of_prometheus():
    """Each process is in one of the two sets; one without a limit is in none."""
    assert measured(GO, "go", "prometheus") == {
        "Go memory api a": (60, 90),
        "Prometheus memory p": (900, 1800),
        "Prometheus series p": (5, None),
    }
