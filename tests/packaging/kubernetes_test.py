#!/usr/bin/env python3
"""kubernetes_test.py SOURCE_DIR: the manifests fit together, and their pod is as confined as it is said to be.

With the Python module kubernetes_validate installed they are also held against Kubernetes' own schemas, and with kubectl
the kustomization is built."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

try:
    import yaml
except ImportError:
    print("SKIPPED: the Python module yaml is not installed (package python3-yaml)")
    sys.exit(77)

SOURCE = pathlib.Path(sys.argv[1])
FOLDER = SOURCE / "packaging/kubernetes"
FLEET = SOURCE / "packaging/kubernetes-fleet"
CONTAINERFILE = (SOURCE / "packaging/container/Containerfile").read_text()
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
MANIFESTS = {name: yaml.safe_load((FOLDER / name).read_text()) for name in KUSTOMIZATION["resources"]}
DEPLOYMENT, SERVICE, POLICY, MONITOR = (
    MANIFESTS[name + ".yaml"] for name in ("deployment", "service", "networkpolicy", "servicemonitor"))
POD = DEPLOYMENT["spec"]["template"]
CONTAINER, = POD["spec"]["containers"]
HOST = json.loads((FOLDER / "host.json").read_text())
PORT = int(HOST["http"]["listen"].rsplit(":")[1])


def built(folder):
    """The objects that kubectl builds of a kustomization, by kind."""
    if not shutil.which("kubectl"):
        raise unittest.SkipTest("kubectl is not installed (package kubernetes-client)")
    text = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True).stdout
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def validate(test, manifests):
    try:
        import kubernetes_validate
    except ImportError:
        raise unittest.SkipTest("the Python module kubernetes_validate is not installed") from None
    for name, manifest in manifests.items():
        if not manifest["apiVersion"].startswith("monitoring.coreos.com/"):  # the operator's, not Kubernetes'
            with test.subTest(name):
                kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def is_part(selector, labels):
    return bool(selector) and selector.items() <= labels.items()


def mount_of(path):
    """The volume that a path in the container comes from, and the mount."""
    mount, = [mount for mount in CONTAINER["volumeMounts"] if path.startswith(mount["mountPath"] + "/")]
    volume, = [volume for volume in POD["spec"]["volumes"] if volume["name"] == mount["name"]]
    return volume, mount


class Manifests(unittest.TestCase):
    def test_are_all_in_the_kustomization(self):
        self.assertEqual({path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}, set(MANIFESTS))

    def test_select_the_pods_and_the_service_by_labels_that_these_have(self):
        labels = POD["metadata"]["labels"]
        self.assertTrue(is_part(DEPLOYMENT["spec"]["selector"]["matchLabels"], labels))
        self.assertTrue(is_part(SERVICE["spec"]["selector"], labels))
        self.assertTrue(is_part(POLICY["spec"]["podSelector"]["matchLabels"], labels))
        self.assertTrue(is_part(MONITOR["spec"]["selector"]["matchLabels"], SERVICE["metadata"]["labels"]))

    def test_agree_on_the_port(self):
        port, = CONTAINER["ports"]
        self.assertEqual(port, {"name": "http", "containerPort": PORT})
        self.assertIn(f"EXPOSE {PORT}\n", CONTAINERFILE)
        self.assertIn(f"${{1:-{PORT}}}", (SOURCE / "packaging/container/healthz").read_text())
        service, = SERVICE["spec"]["ports"]
        self.assertEqual((service["name"], service["targetPort"]), ("http", "http"))
        endpoint, = MONITOR["spec"]["endpoints"]
        self.assertEqual(endpoint["port"], service["name"])
        ingress, = POLICY["spec"]["ingress"]
        self.assertEqual([rule["port"] for rule in ingress["ports"]], ["http"])
        vault = re.fullmatch(r"https://[^:]+:(\d+)", HOST["issuers"][0]["config"]["address"])
        self.assertIn(int(vault[1]), [rule["port"] for way in POLICY["spec"]["egress"] for rule in way["ports"]])

    def test_ask_the_probes_of_the_host(self):
        for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            self.assertEqual(CONTAINER[probe]["httpGet"], {"path": path, "port": "http"})

    def test_name_the_job_as_the_alerts_want_it(self):
        rules = (SOURCE / "packaging/prometheus/issuer-host.rules.yml").read_text()
        self.assertIn(f'job="{SERVICE["metadata"]["name"]}"', rules)

    def test_give_a_stop_longer_than_the_host_takes_at_most(self):
        stop = int(HOST["stop_timeout"].removesuffix("s"))
        self.assertGreater(POD["spec"]["terminationGracePeriodSeconds"], stop)

    def test_end_no_host_before_another_is_ready(self):
        update = DEPLOYMENT["spec"]["strategy"]["rollingUpdate"]
        self.assertEqual((update["maxUnavailable"], update["maxSurge"]), (0, 1))

    def test_keep_a_schema_where_one_is_at_hand(self):
        validate(self, MANIFESTS)

    def test_are_built_by_kubectl(self):
        objects = built(FOLDER)
        self.assertEqual(len(objects), len(MANIFESTS) + 1)
        volumes = {volume["name"]: volume for volume in objects["Deployment"]["spec"]["template"]["spec"]["volumes"]}
        self.assertEqual(volumes["config"]["configMap"]["name"], objects["ConfigMap"]["metadata"]["name"])
        self.assertEqual(json.loads(objects["ConfigMap"]["data"]["host.json"]), HOST)


class Pod(unittest.TestCase):
    def test_runs_without_root_or_any_other_privilege(self):
        user, group = map(int, re.search(r"^USER (\d+):(\d+)$", CONTAINERFILE, re.MULTILINE).groups())
        for_all = POD["spec"]["securityContext"]
        self.assertEqual((for_all["runAsNonRoot"], for_all["runAsUser"], for_all["runAsGroup"]), (True, user, group))
        self.assertEqual(for_all["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertEqual(CONTAINER["securityContext"], {
            "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}})
        self.assertIs(POD["spec"]["automountServiceAccountToken"], False)
        for host in ("hostNetwork", "hostPID", "hostIPC"):
            self.assertNotIn(host, POD["spec"])

    def test_writes_to_memory_alone(self):
        writable = [mount["mountPath"] for mount in CONTAINER["volumeMounts"] if not mount.get("readOnly")]
        self.assertEqual(writable, re.findall(r"^ENV RUNTIME_DIRECTORY=(\S+)$", CONTAINERFILE, re.MULTILINE))
        volume, _ = mount_of(writable[0] + "/control.sock")
        self.assertEqual(volume["emptyDir"]["medium"], "Memory")

    def test_sees_credentials_that_are_replaced(self):
        config = HOST["issuers"][0]["config"]
        for path in (config["token"]["file"], config["tls"]["ca_file"]):
            volume, mount = mount_of(path)
            self.assertNotIn("subPath", mount, "the kubelet never replaces such a file")
            paths = [item["path"] for source in volume["projected"]["sources"]
                     for kind in source.values() for item in kind["items"]]
            self.assertIn(pathlib.PurePath(path).relative_to(mount["mountPath"]).as_posix(), paths)
        self.assertEqual(volume["projected"]["defaultMode"] & 0o337, 0, "others may read the token, or write it")
        self.assertEqual(POD["spec"]["securityContext"]["fsGroup"], POD["spec"]["securityContext"]["runAsGroup"])

    def test_runs_the_configuration_that_is_mounted(self):
        self.assertEqual(CONTAINER["args"], json.loads(re.search(r"^CMD (.*)$", CONTAINERFILE, re.MULTILINE)[1]))
        volume, mount = mount_of(CONTAINER["args"][2])
        generated, = KUSTOMIZATION["configMapGenerator"]
        self.assertEqual(volume["configMap"]["name"], generated["name"])
        self.assertEqual(CONTAINER["args"][2], f"{mount['mountPath']}/{generated['files'][0]}")

    def test_starts_the_version_that_this_is(self):
        version = re.search(r"project\(IssuerLifecycle\s+VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]
        self.assertEqual(CONTAINER["image"], f"issuer-host:{version}")


class Fleet(unittest.TestCase):
    """Three hosts in place of one: packaging/kubernetes-fleet."""

    def setUp(self):
        self.objects = built(FLEET)
        self.set = self.objects["StatefulSet"]
        self.pod = self.set["spec"]["template"]["spec"]
        self.container, = self.pod["containers"]
        self.host = json.loads(self.objects["ConfigMap"]["data"]["host.json"])

    def mount_of(self, path):
        mount, = [mount for mount in self.container["volumeMounts"] if path.startswith(mount["mountPath"] + "/")]
        volume, = [volume for volume in self.pod["volumes"] if volume["name"] == mount["name"]]
        return volume, mount

    def test_is_a_set_of_three_with_names_that_stay(self):
        self.assertNotIn("Deployment", self.objects)
        spec = self.set["spec"]
        self.assertEqual((spec["replicas"], spec["podManagementPolicy"]), (3, "Parallel"))
        self.assertNotIn("strategy", spec, "a deployment's")
        self.assertEqual(spec["serviceName"], self.objects["Service"]["metadata"]["name"])
        self.assertNotIn("member", self.host["fleet"], "one configuration for all: each is called as its pod")

    def test_drains_one_node_at_a_time(self):
        budget = self.objects["PodDisruptionBudget"]["spec"]
        self.assertEqual(budget["maxUnavailable"], 1)
        self.assertTrue(is_part(budget["selector"]["matchLabels"], self.set["spec"]["template"]["metadata"]["labels"]))

    def test_has_the_configuration_of_the_fleet_and_the_same_issuers(self):
        volume, _ = self.mount_of("/etc/issuer-host/host.json")
        self.assertEqual(volume["configMap"]["name"], self.objects["ConfigMap"]["metadata"]["name"])
        self.assertEqual({key: value for key, value in self.host.items() if key != "fleet"}, HOST)

    def test_may_reach_its_engine(self):
        ports = {rule["port"] for way in self.objects["NetworkPolicy"]["spec"]["egress"] for rule in way["ports"]}
        for endpoint in self.host["fleet"]["etcd"]["endpoints"]:
            self.assertIn(int(re.fullmatch(r"https://[^:]+:(\d+)", endpoint)[1]), ports)

    def test_finds_what_proves_it_to_its_engine(self):
        etcd = self.host["fleet"]["etcd"]
        for path in (etcd["password"]["file"], etcd["ca_file"]):
            volume, mount = self.mount_of(path)
            self.assertIs(mount["readOnly"], True)
            self.assertEqual(volume["projected"]["defaultMode"] & 0o337, 0)
            paths = [item["path"] for source in volume["projected"]["sources"]
                     for kind in source.values() for item in kind["items"]]
            self.assertIn(pathlib.PurePath(path).name, paths)

    def test_tells_the_others_the_name_of_each_pods_page(self):
        names = [each["name"] for each in self.container["env"]]
        value = next(each["value"] for each in self.container["env"] if each["name"] == "ISSUER_HOST_URL")
        for used in re.findall(r"\$\((\w+)\)", value):
            self.assertLess(names.index(used), names.index("ISSUER_HOST_URL"), "known once it is defined")
        self.assertNotIn("url", self.host["fleet"])
        service = self.objects["Service"]
        self.assertEqual(service["spec"]["clusterIP"], "None", "else a pod has no name in DNS")
        self.assertIn(f"$(POD_NAME).{service['metadata']['name']}.$(POD_NAMESPACE).svc:", value)
        port = int(value.rpartition(":")[2])
        self.assertEqual([each["port"] for each in service["spec"]["ports"]], [port])
        self.assertEqual(int(self.host["http"]["listen"].rpartition(":")[2]), port)
        policy = self.objects["NetworkPolicy"]["spec"]
        for ways, side in ((policy["ingress"], "from"), (policy["egress"], "to")):
            self.assertTrue(any(peer.get("podSelector") == policy["podSelector"] and "namespaceSelector" not in peer
                                for way in ways for peer in way[side]), side)

    def test_keeps_the_members_last_seen(self):
        folder, = [each["value"] for each in self.container["env"] if each["name"] == "STATE_DIRECTORY"]
        volume, mount = self.mount_of(folder + "/ring")
        self.assertFalse(mount.get("readOnly"))
        self.assertIn("emptyDir", volume)

    def test_has_the_time_to_hand_its_issuers_over(self):
        leave_s = 3  # two seconds to leave, and a moment
        self.assertGreater(self.pod["terminationGracePeriodSeconds"],
                           int(self.host["stop_timeout"].removesuffix("s")) + leave_s)

    def test_is_as_confined_as_the_one_host(self):
        self.assertEqual(self.pod["securityContext"], POD["spec"]["securityContext"])
        self.assertEqual(self.container["securityContext"], CONTAINER["securityContext"])

    def test_keeps_a_schema_where_one_is_at_hand(self):
        validate(self, self.objects)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
