"""The web page: ``python app.py`` serves it on this machine alone; a Hugging Face Space runs the same file."""

from cancertype.page.app import main

if __name__ == "__main__":
    main()
