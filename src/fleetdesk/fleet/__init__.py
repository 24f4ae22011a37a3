"""What the fleet earns and how it stands: downstream revenue, task ROI, state, KPIs."""
