"""A small type checker: calls the package's functions as the examples below do and compares every argument and result
with the annotations. Exits 1 where something does not fit. `python3 tools/typecheck.py`
"""

import functools
import inspect
import pathlib
import sys
import types
import typing

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
problems = []


def fits(value, hint):
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is typing.Any:
        return True
    if hint is None or hint is type(None):
        return value is None
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, arg) for arg in args)
    if origin is list:
        return isinstance(value, list) and all(fits(one, args[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(k, args[0]) and fits(v, args[1]) for k, v in value.items())
    if origin is tuple:
        if len(args) == 2 and args[1] is ...:
            return isinstance(value, tuple) and all(fits(one, args[0]) for one in value)
        return isinstance(value, tuple) and len(value) == len(args) and all(map(fits, value, args))
    if origin is not None:
        return isinstance(value, origin)
    if hint is int:
        return type(value) is int
    return isinstance(value, hint)


def watched(function):
    hints = typing.get_type_hints(function)
    signature = inspect.signature(function)
    place = f"{pathlib.Path(function.__code__.co_filename).name}:{function.__code__.co_firstlineno}: {function.__qualname__}"

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            if name in hints and not fits(value, hints[name]):
                problems.append(f"{place}: {name} is {value!r}, not {hints[name]}")
        result = function(*args, **kwargs)
        if "return" in hints and not fits(result, hints["return"]):
            problems.append(f"{place}: returns {result!r}, not {hints['return']}")
        return result

    return wrapper


def watch(module):
    for name, thing in list(vars(module).items()):
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(thing):
            setattr(module, name, watched(thing))
        elif inspect.isclass(thing):
            for key, value in list(vars(thing).items()):
                if inspect.isfunction(value) and value.__code__.co_filename == module.__file__:
                    setattr(thing, key, watched(value))


def main():
    from mixtape import booklet, m3u, tape, track

    modules = [track, m3u, tape, booklet]
    for module in modules:
        watch(module)
    for module in modules:  # names that were imported before they were watched
        for name, thing in list(vars(module).items()):
            for owner in modules:
                if inspect.isfunction(thing) and getattr(thing, "__module__", None) == owner.__name__:
                    setattr(module, name, getattr(owner, name))
    text = "#EXTM3U\n#EXTINF:185.6,Ada - One\n1.mp3\n#EXTINF:-1,Two\n2.mp3\n3.mp3\n#EXTINF:3700,Bo - Long\n4.mp3\n"
    tracks = m3u.read_m3u(text)
    m3u.write_m3u(tracks)
    for method in tape.METHODS.values():
        a, b, rest = getattr(tape, method)(tracks, 1800)
        booklet.booklet([a, b], rest)
    track.parse_clock("1:02:03")
    for example in getattr(sys.modules[__name__], "EXAMPLES", []):
        example(modules)
    for problem in dict.fromkeys(problems):
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
