"""The web page: ``python app.py`` serves it on this machine only. A Hugging Face Space runs the same file."""

if __name__ == "__main__":
    # Imported here because the process that reads uploads imports this file too, and needs none of the page.
    from cancertype.page.app import main

    main()
