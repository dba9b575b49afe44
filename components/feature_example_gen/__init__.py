"""FeatureExampleGen: the ExampleGen that reads the feature store and splits it by date."""
