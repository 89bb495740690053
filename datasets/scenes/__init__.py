"""Street scenes described in plain values and rendered with Blender (`python -m xiaozheng.datasets.scenes`)."""
