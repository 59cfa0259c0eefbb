"""The ancestor's shape: Flask and SQLAlchemy under gunicorn, the session a row that an index finds."""

import os
import secrets
import sys

from flask import Flask, jsonify, request
from flask_sqlalchemy import SQLAlchemy

folder = os.environ['BENCH_FOLDER']
app = Flask(__name__)
app.config['SQLALCHEMY_DATABASE_URI'] = f'sqlite:///{folder}/flask.db'
db = SQLAlchemy(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String, unique=True, nullable=False)
    session_id = db.Column(db.String, index=True)


@app.get('/profile')
def profile():
    user = db.session.query(User).filter_by(session_id=request.cookies.get('session_id')).first()
    return (jsonify(email=user.email), 200) if user is not None else ('', 403)


if __name__ == '__main__':
    count = int(sys.argv[1])
    rows = [dict(id=i, email=f'user{i}@example.org', session_id=secrets.token_urlsafe(24)) for i in range(1, count + 1)]
    with app.app_context():
        db.create_all()
        db.session.execute(db.insert(User), rows)
        db.session.commit()
    with open(f'{folder}/flask.cookies', 'w') as file:
        file.writelines(f"cookie: session_id={row['session_id']}\n" for row in rows)
