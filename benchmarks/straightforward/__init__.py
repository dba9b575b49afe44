"""What the project's speed is compared with: a TFX pipeline of the same shape, as TFX's tutorials teach it.

    train.csv, eval.csv, test.csv --> CsvExampleGen -> StatisticsGen -> SchemaGen -> ExampleValidator
        '-> Transform (a z-score for each close)
              '-> Trainer linear | dnn | custom_dnn | rnn (batches of 32)
                    '-> Resolver, Evaluator for each (TFMA, sliced by share) -> Pusher for one

Nothing in it is slow on purpose. Where the tutorials offer a choice, or a default is known to stumble, it takes what
costs less: functions named by dotted path instead of module files that are built into wheels, and Beam in memory in
one process.
"""
