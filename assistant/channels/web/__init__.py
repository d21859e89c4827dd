"""The assistant in a browser: chat, kiosk, HTTP and WebSocket interfaces, from one local server."""
