"""What the machine says about itself, for triggers: built in where the platform tells, else any command.

A sensor that is not there is reported as absent with its reason, and never holds; nothing is made up.
"""
