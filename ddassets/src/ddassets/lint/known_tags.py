"""Tag keys that a host, a container or a cloud adds to all metrics, so that a run of the check does not show them."""

_KEYS = frozenset(
    """
    host hostname name env service version source role team tier stack site region zone datacenter device
    device_name availability-zone availability_zone cloud_provider cloudprovider instance-type instance-id
    instance_id account account_id aws_account aws_region project project_id subscriptionid subscription_name
    resource_group autoscaling_group autoscalinggroup security-group security_group iam_profile kernel image
    image_id image_name image_tag short_image docker_image container_id container_name git.commit.sha
    git.repository_url orch_cluster_id cluster cluster_name clustername task_arn task_name task_family
    task_version ecs_cluster_name ecs_container_name pod_name pod_phase namespace node nodepool os os_name
    platform architecture application app cost_center owner agent_version
    """.split()
)
_PREFIXES = ('kube_', 'kubernetes_', 'aws_', 'ec2_', 'gcp_', 'azure_', 'container_', 'helm_', 'app_', 'dd_', 'domain')


def comes_with_the_host(key: str) -> bool:
    """Whether hosts usually have the tag key, so that the check need not submit it."""
    return key.lower() in _KEYS or key.lower().startswith(_PREFIXES)
