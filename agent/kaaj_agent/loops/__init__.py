"""Two loops behind one interface: `async def run(work: Work) -> Outcome`."""
