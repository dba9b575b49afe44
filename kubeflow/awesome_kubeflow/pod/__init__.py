"""What a pod of a run needs of its surroundings: what it is given, what is put into its node, where its output goes."""
