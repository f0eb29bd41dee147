"""How fast Kura is, beside what the bare parts could do: `python -m benchmarks`, or `make bench`.

A figure alone says little: the same machine drifts by a third from hour to hour. So every figure is
measured together with its *ceiling*, the same traffic without Kura (`bare`), by turns in the same run;
what counts is the ratio. docs/PERFORMANCE.md tells what is measured and why.

    cases/      one module for each group of figures
    bare/       the ceilings' servers and client
"""
