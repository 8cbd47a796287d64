"""Tabular models, calibration, metrics, and the evaluation of an experiment."""
