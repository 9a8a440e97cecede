"""The model layer: endpoints, dialects, profiles, discovery. The only place that knows `openai`."""
