"""The model shelf: artefacts with manifests, a registry with aliases, and runtimes."""
