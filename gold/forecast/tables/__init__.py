"""Which tables do forecasts of failure fill? One file per table."""

from gold.forecast.tables import coverage_risk, forecast_check, forecast_comparison, forecast_verdict, forecasts, reliability

TABLES = (forecast_comparison.SPEC, forecast_verdict.SPEC, reliability.SPEC, coverage_risk.SPEC, forecasts.SPEC, forecast_check.SPEC)
