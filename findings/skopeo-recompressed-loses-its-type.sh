#!/usr/bin/env bash
# When skopeo recompresses a layer, or umoci edits an image, the manifest keeps its subject and loses its artifactType.
#
# What:     skopeo 1.9.3 copy --dest-compress-format zstd and --dest-decompress, umoci 0.4.7 config; an OCI 1.1 image in a layout
#           folder with artifactType and subject (a referrer), and annotations on its configuration and its layer.
# Expected: what the tool does not know is kept or refused; copied without recompressing, the manifest stays as it is to the byte.
# Seen:     status 0, no warning; of the four, what is left:
#             skopeo copy:                    artifactType subject config.annotations layer.annotations
#             skopeo copy --dest-compress-…:  subject config.annotations
#             skopeo copy --dest-decompress:  subject config.annotations
#             umoci config --author:          subject layer.annotations
# Hurts:    a registry lists the copy as a referrer of the same subject under another type (that of its configuration), so a client
#           that asks for the type finds nothing; and the layer's title, the file name that referrers are unpacked to, is gone.
. "$(dirname "$0")/common.sh"

needs jq 1.6-2.1+deb12u3
needs skopeo 1.9.3+ds1-1+b10
needs umoci 0.4.7+ds-3+b7

cd "$work"
mkdir -p image/blobs/sha256
blob() {
  local digest
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  cp "$1" "image/blobs/sha256/$digest"
  printf '"digest": "sha256:%s", "size": %s' "$digest" "$(stat -c %s "$1")"
}
echo content >file
tar --format=ustar --mtime=@0 -cf layer.tar file
gzip -nk layer.tar
cat >config <<JSON
{ "architecture": "amd64", "os": "linux", "config": {},
  "rootfs": { "type": "layers", "diff_ids": ["sha256:$(sha256sum layer.tar | cut -d' ' -f1)"] } }
JSON
type=application/vnd.oci.image
cat >manifest <<JSON
{ "schemaVersion": 2, "mediaType": "$type.manifest.v1+json", "artifactType": "application/vnd.example.report",
  "config": { "mediaType": "$type.config.v1+json", $(blob config), "annotations": { "example.of": "config" } },
  "layers": [{ "mediaType": "$type.layer.v1.tar+gzip", $(blob layer.tar.gz),
    "annotations": { "org.opencontainers.image.title": "report.tar.gz" } }],
  "subject": { "mediaType": "$type.manifest.v1+json", $(blob file) } }
JSON
cat >image/index.json <<JSON
{ "schemaVersion": 2, "manifests": [{ "mediaType": "$type.manifest.v1+json", $(blob manifest),
  "annotations": { "org.opencontainers.image.ref.name": "it" } }] }
JSON
echo '{ "imageLayoutVersion": "1.0.0" }' >image/oci-layout

# Which of the four are in the manifest of the layout folder $1.
left() {
  local digest
  digest=$(jq -r '.manifests[-1].digest' "$1/index.json")
  jq -r '[(select(.artifactType) | "artifactType"), (select(.subject) | "subject"),
    (select(.config.annotations) | "config.annotations"), (select(.layers[0].annotations) | "layer.annotations")]
    | join(" ")' "$1/blobs/sha256/${digest#sha256:}"
}
copied() {
  rm -rf copy
  skopeo copy --quiet --insecure-policy "$@" oci:image:it oci:copy:it
  left copy
}
seen 'skopeo copy' "$(copied)" 'artifactType subject config.annotations layer.annotations'
seen 'skopeo copy, zstd' "$(copied --dest-compress-format zstd)" 'subject config.annotations'
# An OCI layout is always compressed by skopeo; a plain folder is not.
skopeo copy --quiet --insecure-policy --dest-decompress oci:image:it dir:plain
mkdir -p copied/blobs/sha256
cp plain/manifest.json copied/blobs/sha256/plain
echo '{ "manifests": [{ "digest": "sha256:plain" }] }' >copied/index.json
seen 'skopeo copy, decompressed' "$(left copied)" 'subject config.annotations'
umoci config --image image:it --author me --no-history
seen 'umoci config' "$(left image)" 'subject layer.annotations'
