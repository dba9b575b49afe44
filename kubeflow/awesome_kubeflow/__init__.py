"""Where the pipeline runs on a cluster: a TFX pipeline as a package for open-source Kubeflow Pipelines."""
