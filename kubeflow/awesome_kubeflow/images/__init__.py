"""From a checkout to a cluster: images built and pushed, manifests applied."""
