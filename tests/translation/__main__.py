"""Brings the catalogues up to date with the source: new texts come in without a translation, unused ones go."""

from tests.translation.catalogues import LANGUAGES, packages


def main() -> None:
    for package in packages():
        if not len(package.template()):
            continue
        for language in LANGUAGES:
            path = package.path(language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(package.updated(language))
            missing = sum(not all(_forms(one.string)) for one in package.catalogue(language) if one.id)
            print(f"{path}: {missing} without a translation")


def _forms(text: object) -> tuple[object, ...]:
    return tuple(text) if isinstance(text, list | tuple) else (text,)


if __name__ == "__main__":
    main()
