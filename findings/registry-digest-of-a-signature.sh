#!/usr/bin/env bash
# A registry tells a client that asks plainly a digest that no content has and that it answers with 404.
#
# What:     docker-registry 2.8.2 (Debian 12: 2.8.2+ds1-1), one image of one empty layer, pushed as Docker schema 2 under a
#           tag; HEAD and GET of the tag with `Accept: */*`, what curl and most HTTP libraries send.
# Expected: Docker-Content-Digest is the SHA-256 of the manifest that was pushed, or at least of the body beside it, and
#           names it: GET by that digest answers with it.
# Seen:     the manifest is rewritten to schema 1 and signed with a key made at start-up; the header is the digest of the
#           payload inside the signature, of nothing that was sent or is kept:
#             pushed: sha256:P; Docker-Content-Digest: sha256:Q, not P; body: sha256:R, not Q; the body of the next
#             GET has another digest again (the signature has random in it); GET by sha256:Q: 404
#           With Accept: application/vnd.docker.distribution.manifest.v2+json all three are P.
# Hurts:    who pins images by `curl -I … | grep -i docker-content-digest` writes a digest into a manifest or an attestation
#           that can never be pulled or checked, with status 200 all the way.
. "$(dirname "$0")/common.sh"

needs docker-registry 2.8.2+ds1-1

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/registry.yml" <<YAML
version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: $work/data}}
http: {addr: 127.0.0.1:$port}
YAML
docker-registry serve "$work/registry.yml" >"$work/log" 2>&1 &
children+=($!)
base=http://127.0.0.1:$port/v2/image
for _ in $(seq 50); do curl -sf "http://127.0.0.1:$port/v2/" >"$work/up" && break || sleep 0.2; done

sha() { sha256sum "$@" | cut -c1-64; }
push_blob() {
  local place
  place=$(curl -sf -X POST -D - -o "$work/none" "$base/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  curl -sf -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$1" "$place&digest=sha256:$(sha "$1")"
}
type=application/vnd.docker.distribution.manifest.v2+json
head -c 1024 /dev/zero >"$work/layer.tar"
gzip -nc "$work/layer.tar" >"$work/layer"
printf '{"architecture":"amd64","os":"linux","config":{},"history":[{"created":"2020-01-01T00:00:00Z"}],"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
  "$(sha "$work/layer.tar")" >"$work/config"
push_blob "$work/layer"
push_blob "$work/config"
printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":%d,"digest":"sha256:%s"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":%d,"digest":"sha256:%s"}]}' \
  $type "$(stat -c %s "$work/config")" "$(sha "$work/config")" \
  "$(stat -c %s "$work/layer")" "$(sha "$work/layer")" >"$work/manifest"
curl -sf -X PUT -H "Content-Type: $type" --data-binary "@$work/manifest" "$base/manifests/tag"

told() { curl -sf -I -H "Accept: $1" "$base/manifests/tag" | tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: sha256://p'; }
body() { curl -sf -H "Accept: $1" "$base/manifests/tag" | sha; }
same() { [ "$1" = "$2" ] && echo same || echo other; }
pushed=$(sha "$work/manifest")
digest=$(told '*/*')
seen 'asked for schema 2: told, and sent' "$(same "$(told $type)" "$pushed"), $(same "$(body $type)" "$pushed")" 'same, same'
seen 'asked plainly: told, beside pushed' "$(same "$digest" "$pushed")" other
seen 'asked plainly: sent, beside told' "$(same "$(body '*/*')" "$digest")" other
seen 'asked plainly: sent twice' "$(same "$(body '*/*')" "$(body '*/*')")" other
seen 'GET by the digest told' "$(curl -s -o "$work/none" -w '%{http_code}' "$base/manifests/sha256:$digest")" 404
